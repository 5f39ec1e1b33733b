//! [`Args`] reads the arguments in the parentheses of `#[trace(..)]`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, LitStr, Path, Result, Token, parenthesized};

const KNOWN: &str = "`name`, `event_type`, `tracer`, `skip`, `skip_all`, `inputs`, `skip_output`, \
                     `config`, `metadata`, `stream` or `crate`";

/// The attribute takes each argument at most once.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) name: Option<LitStr>,
    event_type: Option<EventType>,
    honeyhive: Option<Path>,
    pub(crate) tracer: Option<Expr>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) skip_all: bool,
    pub(crate) inputs: Option<Expr>,
    pub(crate) skip_output: bool,
    pub(crate) config: Option<Expr>,
    pub(crate) metadata: Option<Expr>,
    pub(crate) stream: bool,
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut args = Self::default();
        let mut seen: Vec<Ident> = Vec::new();
        while !input.is_empty() {
            let key = key(input)?;
            if seen.contains(&key) {
                return Err(Error::new(key.span(), format!("`{key}` is given twice")));
            }
            args.parse_one(&key, input)?;
            seen.push(key);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let clash = seen.iter().find(|key| *key == "skip" || *key == "skip_all");
        match clash {
            Some(key) if args.inputs.is_some() => Err(Error::new(
                key.span(),
                format!("`inputs` takes the place of all arguments: there is nothing to `{key}`"),
            )),
            Some(_) if args.skip_all && !args.skip.is_empty() => Err(Error::new(
                args.skip[0].span(),
                "`skip_all` skips this argument already",
            )),
            _ => Ok(args),
        }
    }
}

impl Args {
    /// Returns the path of the crate `honeyhive`.
    pub(crate) fn honeyhive(&self) -> TokenStream {
        let path = self.honeyhive.as_ref();
        path.map_or_else(|| quote!(::honeyhive), |path| quote!(#path))
    }

    /// Returns a path to a value of `EventType`.
    pub(crate) fn event_type(&self) -> Option<TokenStream> {
        Some(match self.event_type.as_ref()? {
            EventType::Path(path) => quote!(#path),
            EventType::Named(variant) => {
                let honeyhive = self.honeyhive();
                quote!(#honeyhive::EventType::#variant)
            }
        })
    }

    fn parse_one(&mut self, key: &Ident, input: ParseStream<'_>) -> Result<()> {
        match key.to_string().as_str() {
            "name" => self.name = Some(value(key, input)?),
            "event_type" => self.event_type = Some(value(key, input)?),
            "crate" => self.honeyhive = Some(value::<CratePath>(key, input)?.0),
            "tracer" => self.tracer = Some(value(key, input)?),
            "inputs" => self.inputs = Some(value(key, input)?),
            "config" => self.config = Some(value(key, input)?),
            "metadata" => self.metadata = Some(value(key, input)?),
            "skip_all" => self.skip_all = true,
            "skip_output" => self.skip_output = true,
            "stream" => self.stream = true,
            "skip" => {
                if !input.peek(syn::token::Paren) {
                    return Err(Error::new(
                        key.span(),
                        "expected the arguments to skip: `skip(a, b)`, or `skip_all`",
                    ));
                }
                let names;
                parenthesized!(names in input);
                let names =
                    Punctuated::<_, Token![,]>::parse_terminated_with(&names, Ident::parse_any)?;
                self.skip = names.into_iter().collect();
            }
            _ => {
                return Err(Error::new(
                    key.span(),
                    format!("unknown argument `{key}`: expected {KNOWN}"),
                ));
            }
        }
        Ok(())
    }
}

fn key(input: ParseStream<'_>) -> Result<Ident> {
    if input.peek(LitStr) {
        return Err(input.error("a name is given as `name = \"…\"`"));
    }
    let key = input.call(Ident::parse_any);
    key.map_err(|error| Error::new(error.span(), format!("expected {KNOWN}")))
}

fn value<T: Parse>(key: &Ident, input: ParseStream<'_>) -> Result<T> {
    if !input.peek(Token![=]) {
        return Err(Error::new(
            key.span(),
            format!("`{key}` needs a value: `{key} = …`"),
        ));
    }
    input.parse::<Token![=]>()?;
    input.parse()
}

/// The path of a crate has no generic arguments.
struct CratePath(Path);

impl Parse for CratePath {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let path = input.call(Path::parse_mod_style);
        path.map(Self).map_err(|error| {
            let expected = "expected where the crate is: `crate = path::to::honeyhive`";
            Error::new(error.span(), expected)
        })
    }
}

enum EventType {
    Path(Path),
    Named(Ident),
}

impl Parse for EventType {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(LitStr) {
            return match input.parse::<Path>() {
                Ok(path) => Ok(Self::Path(path)),
                Err(error) => Err(unexpected(error.span())),
            };
        }
        let name: LitStr = input.parse()?;
        let variant = match name.value().as_str() {
            "model" => "Model",
            "chain" => "Chain",
            "tool" => "Tool",
            _ => return Err(unexpected(name.span())),
        };
        Ok(Self::Named(Ident::new(variant, Span::call_site())))
    }
}

fn unexpected(span: Span) -> Error {
    Error::new(span, "expected one of \"model\", \"chain\", \"tool\"")
}
