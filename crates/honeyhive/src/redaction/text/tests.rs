use super::*;
use crate::secret::is_secret_name;

fn mask(text: &str, is_url: bool) -> String {
    masked(text, || is_url, true, is_secret_name).map_or_else(|| text.to_owned(), |it| it.0)
}

#[test]
fn values_are_masked_by_their_names_in_every_form() {
    for (text, expected) in [
        (
            r#"Login { user: "ada", password: "x\"y", age: 7 }"#,
            r#"Login { user: "ada", password: "<redacted>", age: 7 }"#,
        ),
        (
            r#"Some(Login { password: Some("x"), api_key: Key { inner: ["a", "b}"] }, n: 1 })"#,
            "Some(Login { password: <redacted>, api_key: <redacted>, n: 1 })",
        ),
        (
            r#"Wrap { cred: Password { value: "x" }, n: 1 } ApiKey { inner: "x" }"#,
            "Wrap { cred: Password {<redacted>}, n: 1 } ApiKey {<redacted>}",
        ),
        (
            "Some(\n    Password {\n        value: \"x\",\n    },\n)",
            "Some(\n    Password {<redacted>},\n)",
        ),
        ("password = r#\"x y\"#", "password = <redacted>"),
        ("password: r\"x y\"", "password: <redacted>"),
        (
            "[db]\npassword = x # of the team\n",
            "[db]\npassword = <redacted> # of the team\n",
        ),
        (
            "x-api-key:abc\npassword:x",
            "x-api-key:<redacted>\npassword:<redacted>",
        ),
        (
            r#"{"Key": "Password", "Value": "x"}, Tag { Key: "a" }"#,
            r#"{"Key": "Password", "Value": "<redacted>"}, Tag { Key: "a" }"#,
        ),
        (
            "Pin { password: 1234, ok: true }",
            "Pin { password: <redacted>, ok: true }",
        ),
        (
            "Pin { password: None, secret: true }",
            "Pin { password: None, secret: true }",
        ),
        (
            r#"Request { method: GET, uri: /a?api_key=x&b=1, headers: {"authorization": "Bearer x", "accept": "*/*"} }"#,
            r#"Request { method: GET, uri: /a?api_key=<redacted>&b=1, headers: {"authorization": "<redacted>", "accept": "*/*"} }"#,
        ),
        (
            "HttpRequest HTTP/1.1 GET:/a\n  headers:\n    \"cookie\": \"a=b; c=d\"\n    \"host\": \"x\"\n",
            "HttpRequest HTTP/1.1 GET:/a\n  headers:\n    \"cookie\": \"<redacted>\"\n    \"host\": \"x\"\n",
        ),
        (
            r#""{\"password\": \"x\", \"user\": \"ada\"}""#,
            r#""{\"password\": \"<redacted>\", \"user\": \"ada\"}""#,
        ),
        (
            r#"[("authorization", "Bearer x"), ("a", "b")]"#,
            r#"[("authorization", "<redacted>"), ("a", "b")]"#,
        ),
        ("password=hunter2 user=ada", "password=<redacted> user=ada"),
        (
            "db_password = \"x y\"; a = 1",
            "db_password = \"<redacted>\"; a = 1",
        ),
        (
            "{\"password\" => \"x\"}",
            "{\"password\" => \"<redacted>\"}",
        ),
        (
            "{'password': 'x', 'n': 1}",
            "{'password': '<redacted>', 'n': 1}",
        ),
        (
            "curl -H 'Authorization: Bearer sk-1' x",
            "curl -H 'Authorization: <redacted>' x",
        ),
        (
            "Login {\n    password:\n        \"x\",\n}",
            "Login {\n    password:\n        \"<redacted>\",\n}",
        ),
        (
            r#"{"a": 1, "pass\u0077ord": "x… [cut"#,
            r#"{"a": 1, "pass\u0077ord": "<redacted>"#,
        ),
        (
            "error sending request for url (https://u:p@h/a?key=AIza&q=1)",
            "error sending request for url (https://<redacted>@h/a?key=<redacted>&q=1)",
        ),
        ("postgres://ada:x@db/main", "postgres://<redacted>@db/main"),
        ("mysql://root:p@ss@db, x", "mysql://<redacted>@db, x"),
        (
            "postgres://ada:a/b@db/main",
            "postgres://<redacted>@db/main",
        ),
        ("redis://:x@db:6379/0", "redis://<redacted>@db:6379/0"),
        (
            "git clone https://ghp_x@github.com/a",
            "git clone https://<redacted>@github.com/a",
        ),
        (
            "Server=db;User Id=sa;Password=x|y;Encrypt=true",
            "Server=db;User Id=sa;Password=<redacted>;Encrypt=true",
        ),
        (
            "/a?api%5Fkey=x&n=1&%70assword=y",
            "/a?api%5Fkey=<redacted>&n=1&%70assword=<redacted>",
        ),
        (
            "/login?next=https%3A%2F%2Fh%3Fkey%3Dx%26page%3D2&n=1",
            "/login?next=https%3A%2F%2Fh%3Fkey%3D<redacted>%26page%3D2&n=1",
        ),
        (
            "GET / HTTP/1.1\r\nx-api-key: x\r\nCookie: a=b; c=d\r\nAccept: */*\r\n",
            "GET / HTTP/1.1\r\nx-api-key: <redacted>\r\nCookie: <redacted>\r\nAccept: */*\r\n",
        ),
        (
            r"GET / HTTP/1.1\r\nAuthorization: ApiKey x\r\nAccept: */*",
            r"GET / HTTP/1.1\r\nAuthorization: <redacted>\r\nAccept: */*",
        ),
        (
            "it said Authorization: Bearer x, and no",
            "it said Authorization: <redacted>, and no",
        ),
        (
            "db:\n  - password: x y\n  - password: xy\n",
            "db:\n  - password: x y\n  - password: <redacted>\n",
        ),
        (
            r#"[["authorization","x"], ["a", "b"], ["cookie", "c"#,
            r#"[["authorization","<redacted>"], ["a", "b"], ["cookie", "<redacted>"#,
        ),
        (
            "[db]\npassword = x\nname = main",
            "[db]\npassword = <redacted>\nname = main",
        ),
        (
            r#"Some(ApiKey("x")), Password([1, 2]), Key(7)"#,
            "Some(ApiKey(<redacted>)), Password(<redacted>), Key(7)",
        ),
        (
            r#"Login { password: b"x\x00\"", api_key: r"y" }"#,
            "Login { password: <redacted>, api_key: <redacted> }",
        ),
        (
            r#"{Password: "x", "token_secret": ("y", 1)}"#,
            r#"{Password: "<redacted>", "token_secret": <redacted>}"#,
        ),
        (
            r#"("ada", "x", {"password": ["x", "y"]}, ("secret", Some("z")))"#,
            r#"("ada", "x", {"password": <redacted>}, ("secret", <redacted>))"#,
        ),
        (
            "401 for Bearer eyJhbGciOiJIUzI1NiJ9.e30.x-_, bearer 0123456789abcdef.",
            "401 for Bearer <redacted>, bearer <redacted>.",
        ),
        (
            "a: 1\nprivate_key: |\n  x\n\n  y z\nb: 1\n",
            "a: 1\nprivate_key: |\n  <redacted>\nb: 1\n",
        ),
        (
            "db:\n  password:\n    x\n  - secret: >-\n      x y\n    z: 1",
            "db:\n  password:\n    <redacted>\n  - secret: >-\n      <redacted>\n    z: 1",
        ),
        (
            "credentials:\n  user: ada\n  key: x\nsecrets:\n- a\n- b\nc: 1",
            "credentials:\n  <redacted>\nsecrets:\n<redacted>\nc: 1",
        ),
        (
            r#""a: 1\npassword: |\n  x\n  y\nb: 1""#,
            r#""a: 1\npassword: |\n  <redacted>\nb: 1""#,
        ),
        (
            r#"Text("[\"password: |\\n  x \\\"y\\\" C:\\\\new\\n  z\\nb: 1\"]")"#,
            r#"Text("[\"password: |\\n  <redacted>\\nb: 1\"]")"#,
        ),
        (
            r#"Text("[\"password:\\r\\n  x\\r\\n\"]")"#,
            r#"Text("[\"password:\\r\\n  <redacted>\\r\\n\"]")"#,
        ),
        ("password: 1234\n  x: 1\n", "password: <redacted>\n  x: 1\n"),
        (
            "password:=x, api_key==y",
            "password:=<redacted>, api_key==<redacted>",
        ),
        (
            "password := \"x\"\nAPI_KEY ?= x\n",
            "password := \"<redacted>\"\nAPI_KEY ?= <redacted>\n",
        ),
        (
            "password: !!str x\napi_key: &a !local y # z\n",
            "password: !!str <redacted>\napi_key: &a !local <redacted> # z\n",
        ),
        (
            "a:\n  password: !vault |\n    x\n    y\n  b: 1",
            "a:\n  password: !vault |\n    <redacted>\n  b: 1",
        ),
        (
            "ｐａｓｓｗｏｒｄ=x, {\"ａpi_ｋey\": \"x\"}",
            "ｐａｓｓｗｏｒｄ=<redacted>, {\"ａpi_ｋey\": \"<redacted>\"}",
        ),
        (
            "<user name=\"ada\" password=\"x\"/><add key=\"ApiKey\" value='x' />",
            "<user name=\"ada\" password=\"<redacted>\"/><add key=\"ApiKey\" value='<redacted>' />",
        ),
        (
            "<password value=\"x\"/><param value=\"x\" name=\"client_secret\">",
            "<password value=\"<redacted>\"/><param value=\"<redacted>\" name=\"client_secret\">",
        ),
        (
            "at //ada:x@db/main, or (//:x@db)",
            "at //<redacted>@db/main, or (//<redacted>@db)",
        ),
        (
            "[\"https%3A%2F%2Fada%3Ax\",\"a\"]",
            "[\"https%3A%2F%2F<redacted>\",\"a\"]",
        ),
        (
            "https%3A%2F%2Fada%3Ax%4 \"https%3A%2F%2Fada%3Ax%\" https%253A%252F%252Fada%253Ax%254",
            "https%3A%2F%2F<redacted>%4 \"https%3A%2F%2F<redacted>%\" https%253A%252F%252F<redacted>%254",
        ),
        (
            "/a?to=https%3A%2F%2Fada%3Ax%40h%2Fb%40c&n=1 and postgres%253a%252f%252fada%253Ax%2540db",
            "/a?to=https%3A%2F%2F<redacted>%40h%2Fb%40c&n=1 and postgres%253a%252f%252f<redacted>%2540db",
        ),
        (
            r#""\na: 1\npassword: !!str x\nb:\n  password: &a !local |\n    x\npassword:=x\npassword==x\n""#,
            r#""\na: 1\npassword: !!str <redacted>\nb:\n  password: &a !local |\n    <redacted>\npassword:=<redacted>\npassword==<redacted>\n""#,
        ),
        (
            r"password: x1\npassword==x\npassword: !!str x",
            r"password: <redacted>\npassword==<redacted>\npassword: !!str <redacted>",
        ),
        (
            "\u{feff}\na: 1\npassword: !!str x\nb:\n  password: &a !local |\n    x\npassword:=x\npassword==x\n",
            "\u{feff}\na: 1\npassword: !!str <redacted>\nb:\n  password: &a !local |\n    <redacted>\npassword:=<redacted>\npassword==<redacted>\n",
        ),
        (
            r#"{"":"\"a: 1\npassword: !!str x\nb: &a !local x\n\""}"#,
            r#"{"":"\"a: 1\npassword: !!str <redacted>\nb: &a !local x\n\""}"#,
        ),
        (
            r#""a\n//ada:x@db\u000a//ada:x@db""#,
            r#""a\n//<redacted>@db\u000a//<redacted>@db""#,
        ),
        ("SERVICE_KEY=x", "SERVICE_KEY=<redacted>"),
        (
            "api_key: Some(\"x y\") and api_key = Some(\"x\")",
            "api_key: <redacted> and api_key = <redacted>",
        ),
        (
            r#"Text("api_key: Some(\"x\"), password: Ok('x')")"#,
            r#"Text("api_key: <redacted>, password: <redacted>")"#,
        ),
        (
            "api_key: [\"x\"]\npassword: String::from(\"x\")",
            "api_key: <redacted>\npassword: <redacted>",
        ),
        (
            "api_key: &\"x\"\npassword: b'x y'",
            "api_key: &\"<redacted>\"\npassword: <redacted>",
        ),
        ("password = f\"x y\"", "password = <redacted>"),
        ("password = u'x'", "password = <redacted>"),
        ("password: x'y", "password: <redacted>"),
        (
            r#"Object {"n": Object {"api_key": Array [String("x"), Number(1)]}, "m": Null}"#,
            r#"Object {"n": Object {"api_key": <redacted>}, "m": Null}"#,
        ),
        (
            "password = \"\"\"\nx\n\"y\" z\"\"\"\nn = 1",
            "password = \"\"\"<redacted>\"\"\"\nn = 1",
        ),
        (
            "next=%252Fa%253Fpassword%253Dx%2526n%253D1",
            "next=%252Fa%253Fpassword%253D<redacted>%2526n%253D1",
        ),
        (
            r#"{"a": "https:\/\/ada:x@h\/b"#,
            r#"{"a": "https:\/\/<redacted>@h\/b"#,
        ),
        (
            r#""curl" "-u" "ada:x" "https://h" "#,
            r#""curl" "-u" "<redacted>" "https://h" "#,
        ),
        (
            r#"Command { args: ["redis-cli", "-a", "x", "get"] }"#,
            r#"Command { args: ["redis-cli", "-a", "<redacted>", "get"] }"#,
        ),
        (
            "DB_PASS=x smtpPass: \"x\"",
            "DB_PASS=<redacted> smtpPass: \"<redacted>\"",
        ),
        (
            r"a\napi_key=x\u0009api_key=y",
            r"a\napi_key=<redacted>\u0009api_key=<redacted>",
        ),
    ] {
        assert_eq!(mask(text, false), expected);
        assert_eq!(mask(expected, false), expected, "what is masked stays");
    }
}

#[test]
fn a_text_with_secrets_in_it_is_not_the_name_of_what_stands_beside_it() {
    for text in [
        "<password>HIDDEN</password>",
        "run --password HIDDEN",
        "Bearer HIDDEN-1234567890",
        "password%3DHIDDEN",
        "password=HIDDEN",
        "Password(HIDDEN)",
        "password: HIDDEN",
    ] {
        for listed in [
            format!("[[{text:?}, \"\"]]"),
            format!("({text:?}, \"ada\")"),
        ] {
            assert!(!mask(&listed, false).contains("HIDDEN"), "{listed}");
        }
    }
}

#[test]
fn a_name_that_was_cut_off_behind_its_value_may_be_any() {
    let whole = r#"[{"value": {"a": "HIDDEN"}, "n": 1, "key": "password"}]"#;
    let first = whole.find(r#" "password"#).unwrap();
    for length in first..whole.len() {
        let cut = &whole[..length];
        for text in [
            cut.to_owned(),
            format!("Text({cut:?})"),
            format!("{:?}", format!("Text({cut:?})")),
        ] {
            assert!(!mask(&text, false).contains("HIDDEN"), "{text}");
        }
    }
    for told in [
        r#"{"value": "ada", "key": "user"}"#,
        r#"{"value": "ada", "n"#,
    ] {
        assert_eq!(mask(told, false), told);
    }
}

#[test]
fn what_is_no_secret_stays_as_it_is() {
    for text in [
        "my password: what was it?",
        "password: don't know",
        "a user_pass_rate=1 first_pass: \"x\"",
        "let password = read(\"a\");",
        "Password:\n  what was it?\n",
        "password:\nuser: ada\n",
        "password:\n  null\nsecret:",
        "the bearer acknowledges-everything, Bearer realm=\"example-1234567\"",
        "if password:\n    login(user)\n",
        "Password: what was it?",
        "Authorization: the right to do something",
        "    let secret = get();",
        "password = None\nsecret: false\n",
        "get_password(\"ada\") Secret(None) Token(7) Cookies()",
        "http://h:8080/a@b, https://h/@ada",
        "100%3D1, a%3Db",
        "{\"required\": [\"password\", \"email\"]}",
        "Field { name: \"password\", kind: \"text\" }, Field { name: \"user\", value: \"ada\" }",
        "std::collections::HashMap { len: 1 }",
        "struct Password { value: String } PasswordPolicy { least: 8 } class ApiKey { x: 1 }",
        "impl Password {\n    fn new() {}\n}",
        "jwt==1.7.1, secrets==2.*\nif password == other, a===b, secret!==x",
        "// ada@example.com: see a//b:c@d",
        "https%3A%2F%2Fh%2Fa%40b",
        "https%3A%2F%2F%5B%3A%3A1%5D%3A80, https%3A%2F%2Fh%3A8080 and /?to=https%3A%2F%2Fh%3A80%3Fa%3D1",
        "<input name=\"password\" type=\"password\"/><add key=\"user\" value=\"ada\"/>",
        "password_policy: strict, has_password=yes, cookie_consent=all, secret_santa: \"ada\"",
        "key=C major, tokens=7",
        "ssh://git@github.com/a?page_token=1",
        "session { key_points: [\"a\"] }",
        "if password == other { secret: }",
        "the author: \"Ada\", max_tokens: 7",
        "a password is a secret (\"secret\" is a word)",
        "",
        "=",
        ":",
        "(",
        "password",
        "password=",
        "password:",
        "{password:",
        "\"password\":",
    ] {
        assert_eq!(mask(text, false), text);
    }
}

#[test]
fn urls_lose_who_asks_and_what_is_signed() {
    for (text, expected) in [
        ("https://ada@h/a", "https://<redacted>@h/a"),
        (
            "https://h/a?X-Amz-Signature=x&sig=y&page=1#z",
            "https://h/a?X-Amz-Signature=<redacted>&sig=<redacted>&page=1#z",
        ),
        ("key=x&q=tea", "key=<redacted>&q=tea"),
    ] {
        assert_eq!(mask(text, true), expected);
    }
}
