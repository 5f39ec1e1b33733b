//! [`Function`] is parsed as far as the attribute has to understand it. The body stays tokens.

use proc_macro2::{Ident, TokenStream};
use syn::parse::{Parse, ParseStream};
use syn::token::Brace;
use syn::visit_mut::{self, VisitMut};
use syn::{
    AttrStyle, Attribute, Error, Expr, ExprAsync, FnArg, GenericArgument, Pat, PatIdent,
    PathArguments, PathSegment, Result, ReturnType, Signature, Stmt, Token, Type, TypeParamBound,
    Visibility, braced,
};

pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) brace: Brace,
    pub(crate) body: TokenStream,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        if !is_function(input) {
            return Err(input.error(no_function(input)));
        }
        let signature: Signature = input.parse()?;
        if let Some(token) = &signature.constness {
            return Err(Error::new(
                token.span,
                "`#[trace]` cannot go on a `const fn`: a span is not constant",
            ));
        }
        if input.peek(Token![;]) {
            return Err(Error::new_spanned(
                &signature.ident,
                "`#[trace]` needs a body: put it on the implementation",
            ));
        }
        let content;
        let brace = braced!(content in input);
        for mut inner in content.call(Attribute::parse_inner)? {
            inner.style = AttrStyle::Outer;
            attributes.push(inner);
        }
        Ok(Self {
            attributes,
            visibility,
            signature,
            brace,
            body: content.parse()?,
        })
    }
}

/// Returns true where the signature of a function begins.
fn is_function(input: ParseStream<'_>) -> bool {
    input.peek(Token![fn])
        || input.peek(Token![async])
        || input.peek(Token![unsafe])
        || input.peek(Token![const])
        || input.peek(Token![extern])
}

fn no_function(input: ParseStream<'_>) -> &'static str {
    let has_methods = input.peek(Token![impl]) || input.peek(Token![trait]);
    if has_methods {
        "`#[trace]` goes on a function: put it on each method that is to be a span"
    } else {
        "`#[trace]` goes on a function"
    }
}

/// Returns true for a parameter that stands for a pattern. What is in it cannot be skipped by its name, so it is not
/// recorded.
pub(crate) fn is_pattern(parameter: &Ident) -> bool {
    parameter.to_string().starts_with("__arg")
}

/// A function returns in one of these ways.
pub(crate) enum Returned {
    Never,
    Value {
        /// The type is a tuple of so many parts, or the `Ok` of a `Result` is.
        parts: usize,
    },
    Stream {
        /// The type is a box already, so the traced stream is boxed too.
        boxed: bool,
        in_result: bool,
    },
}

/// A body that ends in a future has statements before it, and the block.
pub(crate) struct Tail {
    pub(crate) before: Vec<Stmt>,
    /// The block may stand in a call of `Box::pin`.
    pub(crate) pin: Option<Expr>,
    pub(crate) block: ExprAsync,
}

impl Function {
    /// Returns the names that the parameters bring into scope, without `self`.
    ///
    /// `async-trait` takes patterns apart inside the body, and its parameters are then called
    /// [`__arg0`](is_pattern) and so on.
    pub(crate) fn parameters(&self) -> Vec<Ident> {
        struct Names(Vec<Ident>);

        impl VisitMut for Names {
            fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
                self.0.push(pattern.ident.clone());
                visit_mut::visit_pat_ident_mut(self, pattern);
            }

            // An expression within a pattern brings nothing into scope.
            fn visit_expr_mut(&mut self, _: &mut Expr) {}
        }

        let mut names = Names(Vec::new());
        for input in &self.signature.inputs {
            if let FnArg::Typed(typed) = input {
                let mut pattern = Pat::clone(&typed.pat);
                names.visit_pat_mut(&mut pattern);
            }
        }
        // An older `async-trait` takes `self` as a parameter of its own.
        names.0.retain(|name| name != "self" && name != "__self");
        names.0
    }

    /// Returns the type that the function gives: for one that returns a future, the type that the future gives.
    pub(crate) fn returned(&self, stream: bool, of_future: bool) -> Returned {
        let ReturnType::Type(_, declared) = &self.signature.output else {
            return Returned::Value { parts: 0 };
        };
        let output = of_future.then(|| future_output(declared)).flatten();
        let declared = output.as_ref().unwrap_or(declared);
        if matches!(declared, Type::Never(_)) {
            return Returned::Never;
        }
        let ok = last_segment(declared)
            .filter(|segment| segment.ident == "Result")
            .and_then(first_type);
        let (inner, in_result) = ok.map_or((declared, false), |ok| (ok, true));
        if stream || is_stream(inner) {
            Returned::Stream {
                boxed: !matches!(inner, Type::ImplTrait(_)),
                in_result,
            }
        } else {
            let parts = match inner {
                Type::Tuple(tuple) => tuple.elems.len(),
                _ => 0,
            };
            Returned::Value { parts }
        }
    }

    /// Returns the declared type, `_` standing for each `impl Trait`. None where that leaves nothing to say.
    pub(crate) fn annotation(&self) -> Option<Type> {
        inferring(match &self.signature.output {
            ReturnType::Default => syn::parse_quote!(()),
            ReturnType::Type(_, declared) => Type::clone(declared),
        })
    }

    /// Returns the `T` of a declared `impl Future<Output = T>` or of its box, as [`annotation`](Self::annotation) does.
    pub(crate) fn future_output(&self) -> Option<Type> {
        match &self.signature.output {
            ReturnType::Default => None,
            ReturnType::Type(_, declared) => future_output(declared).and_then(inferring),
        }
    }

    /// Returns the future at the end of the body, where the function is not async itself.
    pub(crate) fn tail(&self) -> Option<Tail> {
        if self.signature.asyncness.is_some() || !mentions(&self.body, "async") {
            return None;
        }
        let body = self.body.clone();
        let mut statements = syn::parse::Parser::parse2(syn::Block::parse_within, body).ok()?;
        let Stmt::Expr(last, None) = statements.pop()? else {
            return None;
        };
        let (pin, block) = match last {
            Expr::Async(block) => (None, block),
            Expr::Call(mut call) if call.args.len() == 1 && is_box_pin(&call.func) => {
                match call.args.pop()? {
                    Expr::Async(block) => (Some(*call.func), block),
                    _ => return None,
                }
            }
            _ => return None,
        };
        // A block that borrows leaves the parameters where they are: they cannot be moved into it.
        block.capture.is_some().then_some(Tail {
            before: statements,
            pin,
            block,
        })
    }
}

/// Returns the type with `_` for each `impl Trait`. None where that leaves nothing to say.
fn inferring(mut declared: Type) -> Option<Type> {
    struct Infer;

    impl VisitMut for Infer {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            if let Type::ImplTrait(_) = ty {
                *ty = Type::Infer(syn::parse_quote!(_));
            } else {
                visit_mut::visit_type_mut(self, ty);
            }
        }
    }

    Infer.visit_type_mut(&mut declared);
    (!matches!(declared, Type::Infer(_))).then_some(declared)
}

/// Returns true where the tokens hold this word.
pub(crate) fn mentions(tokens: &TokenStream, word: &str) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => ident == word,
        proc_macro2::TokenTree::Group(group) => mentions(&group.stream(), word),
        _ => false,
    })
}

fn is_box_pin(function: &Expr) -> bool {
    let Expr::Path(path) = function else {
        return false;
    };
    let mut segments = path.path.segments.iter().rev();
    segments.next().is_some_and(|last| last.ident == "pin")
        && segments.next().is_some_and(|type_| type_.ident == "Box")
}

fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ty {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

fn first_type(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Returns the bounds of `impl Trait`, or of `Pin<Box<dyn Trait>>`.
fn bounds(ty: &Type) -> impl Iterator<Item = &PathSegment> {
    let unboxed = last_segment(ty)
        .filter(|segment| segment.ident == "Pin")
        .and_then(first_type)
        .and_then(last_segment)
        .filter(|segment| segment.ident == "Box")
        .and_then(first_type);
    let bounds = match (ty, unboxed) {
        (Type::ImplTrait(opaque), _) => Some(&opaque.bounds),
        (_, Some(Type::TraitObject(object))) => Some(&object.bounds),
        _ => None,
    };
    bounds
        .into_iter()
        .flatten()
        .filter_map(|bound| match bound {
            TypeParamBound::Trait(bound) => bound.path.segments.last(),
            _ => None,
        })
}

fn is_stream(ty: &Type) -> bool {
    bounds(ty).any(|bound| bound.ident == "Stream")
}

/// Returns the `T` of `impl Future<Output = T>` and of its box.
fn future_output(ty: &Type) -> Option<Type> {
    let future = bounds(ty).find(|bound| bound.ident == "Future")?;
    let PathArguments::AngleBracketed(arguments) = &future.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(assigned) if assigned.ident == "Output" => {
            Some(assigned.ty.clone())
        }
        _ => None,
    })
}
