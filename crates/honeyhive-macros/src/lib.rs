#![doc = include_str!("../README.md")]

mod args;
mod expand;
mod function;

use proc_macro::TokenStream;
use quote::quote;
use syn::parse_macro_input;

use args::Args;
use function::Function;

/// Makes a function a span of the current HoneyHive session, with its arguments as inputs and its return
/// value as output.
///
/// ```
/// use honeyhive::testing;
///
/// #[honeyhive::trace(event_type = "tool")]
/// fn add(left: i64, right: i64) -> i64 {
///     left + right
/// }
///
/// let (tracer, captured) = testing::tracer();
/// let sum = tracer.create_session("sums").in_scope(|| add(40, 2));
///
/// assert_eq!(sum, 42);
/// let session = captured.only_session();
/// session.assert_tree("sums\n  add [tool]");
/// let event = session.event("add");
/// assert_eq!(event.text("honeyhive_inputs.left").as_deref(), Some("40"));
/// assert_eq!(event.text("honeyhive_outputs.result").as_deref(), Some("42"));
/// ```
///
/// The attribute goes on functions, async functions, methods, the functions of traits and their implementations (also
/// under `async-trait`), generic functions, and functions that return `impl Trait`.
///
/// # Arguments
///
/// | Argument | Meaning | Default |
/// |---|---|---|
/// | `name = "…"` | the name of the span | the name of the function |
/// | `event_type = "model"` | `"model"`, `"chain"` or `"tool"`, or a path such as `EventType::Tool` | a chain when it has children, a tool when not |
/// | `tracer = expr` | the tracer; a `HoneyHiveTracer` or what dereferences to one | that of the current session, else the only one of the process, or the one of `HoneyHiveTracer::set_default` |
/// | `skip(a, b)` | these arguments are not recorded | none |
/// | `skip_all` | no argument is recorded | |
/// | `inputs = expr` | recorded instead of the arguments; serialises to an object | the arguments |
/// | `config = expr` | the span's config; serialises to an object | none |
/// | `metadata = expr` | the span's metadata; serialises to an object | none |
/// | `skip_output` | the return value is not recorded; errors are | |
/// | `crate = path::to::honeyhive` | where the crate is, for a program that has it by way of another one | `::honeyhive` |
/// | `stream` | the function returns a stream, though its type does not say so | see below |
///
/// The expressions see the arguments. They are evaluated before the body, by reference, and only where the span is
/// recorded. A panic in one of them, or in the `Serialize` or `Debug` of a value, only loses the remaining recordings.
///
/// ```
/// use honeyhive::HoneyHiveTracer;
/// use serde_json::json;
///
/// struct Agent {
///     tracer: HoneyHiveTracer,
///     model: String,
/// }
///
/// impl Agent {
///     #[honeyhive::trace(
///         name = "answer",
///         event_type = "model",
///         tracer = self.tracer,
///         skip(api_key),
///         config = json!({"model": self.model}),
///     )]
///     async fn ask(&self, question: &str, api_key: &str) -> Result<String, std::io::Error> {
///         Ok(format!("{question} 42"))
///     }
/// }
/// ```
///
/// # What is recorded
///
/// The span records:
///
/// * each argument but `self` and HoneyHive's own handles (a tracer, a session, a span), under `honeyhive_inputs.<name>`,
///   before the body has it;
/// * the result, under `honeyhive_outputs.result`.
///
/// A value is recorded by its `Serialize`, else by its `Debug`, else as the name of its type. In generic code only the
/// bounds count: a `T: Serialize` is serialised, a bare `T` is named. Wrapped, large and secret values:
///
/// * A wrapper that is no `Serialize` and dereferences to one value (`axum::Json`) is recorded as that value, unless its
///   `Debug` hides a text or a number.
/// * A tuple that is declared as the result (`(StatusCode, Json<T>)`, also in a `Result`) is recorded part by part.
/// * Maps and lists become one attribute per leaf; bytes become their number and the first of them, a list of more than
///   100 numbers its length and its beginning. Parts that are not kept are not read.
/// * A `Mutex` or `RwLock` is recorded if it is free; within another value it is left out, since `serde` would wait for
///   it.
/// * One span takes some 500 attributes of inputs and as many of outputs; past that, `honeyhive_inputs.truncated` or
///   `honeyhive_outputs.truncated` is `true`.
/// * A text that is named like a secret (`password`, `api_key`, `authorization`) leaves as `<redacted>`; skip any other
///   confidential argument.
///
/// The end of the function is recorded, too:
///
/// * `Ok(value)` records the value. `Err(error)` records the error with its causes, each once, else its `Display`, else
///   its `Debug`.
/// * A panic is recorded as the error `panicked: …` and goes on.
/// * A future that is dropped after its first poll and before its end gets the error `cancelled` and
///   `honeyhive_metadata.cancelled = true`.
///
/// The function runs exactly once, whatever happens to the span. Without a tracer it runs as if the attribute were not
/// there.
///
/// # Functions that return a future
///
/// The span of an `async fn` begins with the first poll. So does that of a function whose body ends in
/// `async move { … }` or `Box::pin(async move { … })`, which is the form that `async-trait` gives an `async fn`; it
/// records the arguments that the block uses, but for those that `async-trait` takes apart by a pattern. For any other
/// function that returns a future the span covers the call alone.
///
/// # Functions that return a stream
///
/// If the return type is `impl Stream`, `Pin<Box<dyn Stream>>`, or a `Result` of one of them, the span ends when the
/// stream does:
///
/// * Texts that it yields are joined to one text, `honeyhive_outputs.result`; other items are recorded under
///   `honeyhive_outputs.result.0`, `.1` and so on.
/// * The limit is 100 items and 64 KiB, after which `honeyhive_outputs.truncated` is `true`.
/// * An item that is an `Err` sets the error.
/// * A stream that is dropped before its end gets `honeyhive_metadata.cancelled = true` and no error, since taking only
///   some items is no failure.
///
/// The argument `stream` declares a type behind an alias, such as `BoxStream<'_, T>`, to be a stream; `Box::pin` of a
/// stream must coerce to it.
///
/// ```
/// use futures_util::{Stream, StreamExt as _, stream};
///
/// #[honeyhive::trace(event_type = "model")]
/// fn tokens(prompt: &str) -> impl Stream<Item = String> + use<> {
///     stream::iter([prompt.to_uppercase(), "!".to_owned()])
/// }
///
/// # let (tracer, captured) = honeyhive::testing::tracer();
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(tracer.with_session("chat", |_| async {
/// let answer: String = tokens("hello").collect().await; // here the span ends
/// assert_eq!(answer, "HELLO!");
/// # }));
/// # let event = captured.only_session().event("tokens").clone();
/// # assert_eq!(event.text("honeyhive_outputs.result").as_deref(), Some("HELLO!"));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # What it expands to
///
/// The signature stays. The body becomes, for an `async fn`,
///
/// ```text
/// static SITE: Site = Site::new("ask", Some(EventType::Model), 1, "src/agent.rs:12");
/// let span = begin(&SITE, |inputs| inputs.argument("honeyhive_inputs.question", json_of(&question)));
/// let (output, span) = Run::new(span, async move { /* the body */ }).await;
/// finish(span, output, |output, outputs| match outcome_of(output) {
///     Ok(value) => outputs.result(|| json_of(value)),
///     Err(error) => outputs.error(text_of(error)),
/// })
/// ```
///
/// and for any other function the same with `run(span, move || { /* the body */ })`. Nothing is boxed but a
/// recorded stream whose type is a box already. `#[track_caller]` sees the expansion as the caller of what the
/// body calls.
#[doc(alias = "atrace")]
#[doc(alias = "trace_class")]
#[proc_macro_attribute]
pub fn trace(args: TokenStream, item: TokenStream) -> TokenStream {
    let original = proc_macro2::TokenStream::from(item.clone());
    let function = parse_macro_input!(item as Function);
    let expanded = syn::parse::<Args>(args).and_then(|args| expand::expand(&args, &function));
    expanded
        .unwrap_or_else(|error| {
            // The function stays, so that its callers do not fail as well.
            let error = error.into_compile_error();
            quote!(#original #error)
        })
        .into()
}
