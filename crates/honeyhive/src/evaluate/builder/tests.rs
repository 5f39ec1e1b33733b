use super::*;

#[test]
fn a_function_is_called_by_the_last_part_of_its_path() {
    async fn support(_: u8) {}
    fn generic<T>(_: T) {}

    fn name<F>(_: F) -> String {
        name_of::<F>()
    }
    assert_eq!(name(support), "support");
    assert_eq!(name(generic::<Vec<String>>), "generic");
    assert_eq!(name(|| ()), "function");
    assert_eq!(name(async || ()), "function");
}
