//! A span of a model's call with its tokens is measured without a budget, under one, and with the session's usage read
//! after it.

use std::hint::black_box;

use honeyhive::{HoneyHiveTracer, SessionBudget, json};

use crate::{Work, tracer_with};

/// The variants have these names.
pub(crate) const VARIANTS: [&str; 3] = ["budget_bare", "budget_counted", "budget_read"];

/// Returns the work of a variant; `None` where none has this name.
pub(crate) fn find(variant: &str) -> Option<Work> {
    let (budget, reads) = match variant {
        "budget_bare" => (None, false),
        "budget_counted" => (Some(limits()), false),
        "budget_read" => (Some(limits()), true),
        _ => return None,
    };
    let tracer = tracer_with(|builder| match budget {
        Some(budget) => builder.session_budget(budget),
        None => builder,
    });
    Some(work(&tracer, reads))
}

/// Returns limits that nothing here passes.
fn limits() -> SessionBudget {
    SessionBudget::new()
        .tokens(u64::MAX)
        .cost(f64::MAX)
        .on_passed(|_| ())
}

fn work(tracer: &HoneyHiveTracer, reads: bool) -> Work {
    let session = tracer.create_session("agent");
    let tracer = tracer.clone();
    Box::new(move |calls| {
        for _ in 0..calls {
            let call = session.in_scope(|| tracer.model("answer").start());
            call.metadata(json!({"input_tokens": 900, "output_tokens": 150, "cost": 0.02}));
            drop(call);
            if reads {
                black_box(session.usage());
            }
        }
    })
}
