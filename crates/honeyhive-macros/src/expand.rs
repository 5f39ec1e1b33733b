//! The attribute expands a function to one that is traced.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Error, Result};

use crate::args::Args;
use crate::function::{Function, Returned, Tail, is_pattern, mentions};

pub(crate) fn expand(args: &Args, function: &Function) -> Result<TokenStream> {
    let recorded = recorded(args, function)?;
    let body = match function.tail() {
        Some(tail) => of_tail(args, function, recorded, tail),
        None if function.signature.asyncness.is_some() => of_async(args, function, &recorded),
        None => of_plain(args, function, &recorded),
    };
    let Function {
        attributes,
        visibility,
        signature,
        brace,
        ..
    } = function;
    let mut expanded = quote!(#(#attributes)* #visibility #signature);
    brace.surround(&mut expanded, |tokens| body.to_tokens(tokens));
    Ok(expanded)
}

/// Returns the arguments that are recorded.
fn recorded(args: &Args, function: &Function) -> Result<Vec<Ident>> {
    let mut parameters = function.parameters();
    let has_pattern = parameters.iter().any(is_pattern);
    for skipped in &args.skip {
        if !has_pattern && !parameters.contains(skipped) && skipped != "self" {
            return Err(unknown_parameter(skipped, &parameters));
        }
    }
    if args.skip_all || args.inputs.is_some() {
        parameters.clear();
    }
    parameters.retain(|name| !args.skip.contains(name) && !is_pattern(name));
    Ok(parameters)
}

fn unknown_parameter(skipped: &Ident, parameters: &[Ident]) -> Error {
    let known: Vec<_> = parameters.iter().map(|name| format!("`{name}`")).collect();
    let known = if known.is_empty() {
        "it has none to skip".to_owned()
    } else {
        format!("it has {}", known.join(", "))
    };
    Error::new(
        skipped.span(),
        format!("the function has no parameter `{skipped}`: {known}"),
    )
}

fn of_plain(args: &Args, function: &Function, recorded: &[Ident]) -> TokenStream {
    let hh = args.honeyhive();
    let begin = begin(args, function, recorded);
    let returned = function.returned(args.stream, false);
    let result = function.annotation().map(|declared| quote!(-> #declared));
    let body = block(function);
    let closure = quote!(move || #result #body);
    finish(
        args,
        &returned,
        &quote! {
            #begin
            let (__hh_output, __hh_active) = #hh::__private::run(__hh_active, #closure);
        },
    )
}

fn of_async(args: &Args, function: &Function, recorded: &[Ident]) -> TokenStream {
    let hh = args.honeyhive();
    let begin = begin(args, function, recorded);
    let returned = function.returned(args.stream, false);
    let declared = match returned {
        Returned::Never => None,
        _ => function.annotation(),
    };
    let none = declared.map(|declared| {
        quote_spanned! {at(declared.span())=>
            ::core::option::Option::None::<#declared>
        }
    });
    let block = declaring(none, &function.body, function.brace.span.join());
    finish(
        args,
        &returned,
        &quote! {
            #begin
            let (__hh_output, __hh_active) =
                #hh::__private::Run::new(__hh_active, async move #block).await;
        },
    )
}

/// Returns a block for an async block, which cannot declare its type; a `return` that is never reached can. `none` is of
/// the type's option.
fn declaring(none: Option<TokenStream>, body: &TokenStream, braces: Span) -> TokenStream {
    // The span has the place of the braces, but is not the program's own: rustc would call braces on one line
    // unnecessary.
    let block = quote_spanned!(at(braces)=> { #body });
    let Some(none) = none else {
        return block;
    };
    // An error of types is to point at the type that was declared.
    let declared = quote_spanned! {at(none.span())=>
        if let ::core::option::Option::Some(__hh_output) = #none {
            return __hh_output;
        }
    };
    quote!({ #declared #block })
}

fn at(place: Span) -> Span {
    Span::call_site().located_at(place)
}

fn of_tail(args: &Args, function: &Function, mut recorded: Vec<Ident>, tail: Tail) -> TokenStream {
    let hh = args.honeyhive();
    let Tail { before, pin, block } = tail;
    let statements = block.block.stmts.iter();
    let statements = quote!(#(#statements)*);
    // An argument that the block does not use is not in it, and putting it there could break a lifetime.
    recorded.retain(|name| mentions(&statements, &name.to_string()));
    let begin = begin(args, function, &recorded);
    let returned = function.returned(args.stream, true);
    let attributes = &block.attrs;
    let none = match returned {
        Returned::Never => None,
        _ => none_of_future(&hh, function),
    };
    let braces = block.block.brace_token.span.join();
    let statements = declaring(none, &statements, braces);
    let traced = finish(
        args,
        &returned,
        &quote! {
            #begin
            let (__hh_output, __hh_active) =
                #hh::__private::Run::new(__hh_active, #(#attributes)* async move #statements).await;
        },
    );
    let traced = quote!(async move { #traced });
    let traced = match pin {
        Some(pin) => quote!(#pin(#traced)),
        None => traced,
    };
    quote!(#(#before)* #traced)
}

/// Returns an option of what the declared future gives. Without its type the error of a block of `Ok` and `?` would be
/// whatever can be recorded in the first way.
fn none_of_future(hh: &TokenStream, function: &Function) -> Option<TokenStream> {
    if let Some(output) = function.future_output() {
        return Some(quote_spanned!(at(output.span())=> ::core::option::Option::None::<#output>));
    }
    let declared = function.annotation()?;
    Some(quote_spanned! {at(declared.span())=>
        #hh::__private::none_of_output(::core::option::Option::None::<#declared>)
    })
}

fn block(function: &Function) -> TokenStream {
    let mut block = TokenStream::new();
    function
        .brace
        .surround(&mut block, |tokens| function.body.to_tokens(tokens));
    block
}

/// Returns `let __hh_active = …;` and the static that it needs.
fn begin(args: &Args, function: &Function, recorded: &[Ident]) -> TokenStream {
    let hh = args.honeyhive();
    let name = args.name.as_ref().map_or_else(
        || function.signature.ident.unraw().to_string(),
        syn::LitStr::value,
    );
    let event_type = match args.event_type() {
        None => quote!(::core::option::Option::None),
        Some(event_type) => quote!(::core::option::Option::Some(#event_type)),
    };
    let count = recorded.len();
    let fill = fill(args, recorded);
    let call = match &args.tracer {
        None => quote!(#hh::__private::begin(&__HH_SITE, #fill)),
        Some(tracer) => {
            let span = Span::call_site().located_at(tracer.span());
            let tracer = quote_spanned!(span=> &(#tracer));
            quote!(#hh::__private::begin_with(&__HH_SITE, #tracer, #fill))
        }
    };
    // The program does not use such an argument, and is not to be told by clippy that it does.
    let is_unused = |name: &Ident| name.to_string().starts_with('_');
    let allow = recorded
        .iter()
        .any(is_unused)
        .then(|| quote!(#[allow(clippy::used_underscore_binding)]));
    quote! {
        static __HH_SITE: #hh::__private::Site =
            #hh::__private::Site::new(
                #name,
                #event_type,
                #count,
                ::core::concat!(::core::file!(), ":", ::core::line!()),
            );
        #allow
        let __hh_active = #call;
    }
}

/// Returns the closure that fills the span's inputs, its metadata and its configuration.
fn fill(args: &Args, recorded: &[Ident]) -> TokenStream {
    let hh = args.honeyhive();
    let buckets = [
        ("config", &args.config),
        ("metadata", &args.metadata),
        ("inputs", &args.inputs),
    ];
    let buckets = buckets.iter().filter_map(|(bucket, map)| {
        let map = map.as_ref()?;
        let bucket = format_ident!("{bucket}");
        Some(quote!(__hh_inputs.#bucket(&(#map));))
    });
    let buckets: Vec<_> = buckets.collect();
    if recorded.is_empty() && buckets.is_empty() {
        return quote!(|_| {});
    }
    let arguments = recorded.iter().map(|name| {
        let key = format!("honeyhive_inputs.{}", name.unraw());
        quote! {
            __hh_inputs.argument(
                #key,
                (&&&&&&&&&#hh::__private::Probe(&#name)).__honeyhive_json(),
            );
        }
    });
    let import = (!recorded.is_empty()).then(|| {
        quote!(
            use #hh::__private::by::*;
        )
    });
    quote! {
        |__hh_inputs: &mut #hh::__private::Inputs<'_>| {
            #(#buckets)*
            #import
            #(#arguments)*
        }
    }
}

/// Returns the code after `begun`, which has made `__hh_output` and `__hh_active`: both are used up.
fn finish(args: &Args, returned: &Returned, begun: &TokenStream) -> TokenStream {
    let hh = args.honeyhive();
    match returned {
        // A value of the type `!` cannot be handed on, since nothing comes after it.
        Returned::Never => quote! {
            #begun
            let _ = __hh_active;
            __hh_output
        },
        Returned::Value { parts } => {
            let observe = observe(args, *parts);
            quote! {
                #begun
                #hh::__private::finish(__hh_active, __hh_output, #observe)
            }
        }
        Returned::Stream {
            boxed,
            in_result: false,
        } => {
            let stream = stream(args, *boxed);
            quote!(#begun #stream)
        }
        Returned::Stream {
            boxed,
            in_result: true,
        } => {
            let (stream, failed) = (stream(args, *boxed), failed(args));
            quote! {
                #begun
                match __hh_output {
                    ::core::result::Result::Ok(__hh_output) => ::core::result::Result::Ok(#stream),
                    ::core::result::Result::Err(__hh_error) => ::core::result::Result::Err(
                        #hh::__private::finish(__hh_active, __hh_error, |__hh_error, __hh_outputs| {
                            use #hh::__private::by::*;
                            #failed
                        }),
                    ),
                }
            }
        }
    }
}

/// Returns the code that records the items of `__hh_output`, which is a stream.
fn stream(args: &Args, is_boxed: bool) -> TokenStream {
    let hh = args.honeyhive();
    let observe = observe(args, 0);
    if !is_boxed {
        return quote!(#hh::__private::stream(__hh_active, __hh_output, #observe));
    }
    quote! {
        match __hh_active {
            ::core::option::Option::None => __hh_output,
            __hh_active => ::std::boxed::Box::pin(
                #hh::__private::stream(__hh_active, __hh_output, #observe),
            ),
        }
    }
}

/// Returns the code that records an output, which may be a tuple of so many parts, or an item.
fn observe(args: &Args, parts: usize) -> TokenStream {
    let hh = args.honeyhive();
    let json = |value: &Ident| quote!((&&&&&&&&&#hh::__private::Probe(#value)).__honeyhive_json());
    let value = if args.skip_output {
        quote!(_ => {})
    } else if parts > 0 {
        let names: Vec<_> = (0..parts).map(|at| format_ident!("__hh_{at}")).collect();
        let parts = names.iter().map(json);
        quote! {
            ::core::result::Result::Ok((#(#names,)*)) => __hh_outputs.result(|| {
                #hh::__private::Recorded::list([#(#parts),*])
            }),
        }
    } else {
        let json = json(&format_ident!("__hh_value"));
        quote! {
            ::core::result::Result::Ok(__hh_value) => __hh_outputs.result(|| #json),
        }
    };
    let failed = failed(args);
    let failed = quote!(::core::result::Result::Err(__hh_error) => #failed);
    quote! {
        |__hh_output, __hh_outputs| {
            use #hh::__private::by::*;
            match (&&#hh::__private::Outcome(__hh_output)).__honeyhive_outcome() {
                #failed
                #value
            }
        }
    }
}

fn failed(args: &Args) -> TokenStream {
    let hh = args.honeyhive();
    quote! {
        {
            __hh_outputs.error((&&&&&&#hh::__private::Failure(__hh_error)).__honeyhive_text());
        }
    }
}
