//! The usage of a session is counted across its requests.

use std::sync::{Arc, Mutex};

use honeyhive::{BudgetLimit, BudgetPassed, SessionBudget, SessionId};
use serde_json::json;

use crate::adapter::Adapter;
use crate::harness::{Stage, StageBuilder};

type Told = Arc<Mutex<Vec<BudgetPassed>>>;

/// Each request is a turn of its session, and each call of a model counts; a limit is told of once.
pub async fn a_budget_counts_a_conversation_across_its_requests<A: Adapter>() {
    let budget = SessionBudget::new().turns(2).model_calls(1).tokens(1);
    let (builder, told) = stage(budget);
    let stage = builder.start::<A>().await;
    let id = stage.request("POST", "/chat/7").send().await.session_id();
    stage.request("POST", "/chat/8").send().await;
    for _ in 0..4 {
        let call = stage.request("POST", "/chat/7").in_session(id);
        assert_eq!(call.send().await.status, 200);
    }
    let told = told.lock().unwrap();
    let seen: Vec<_> = told
        .iter()
        .map(|it| (it.session, it.limit, it.usage.turns, it.usage.model_calls))
        .collect();
    let expected = [
        (id, BudgetLimit::ModelCalls, 2, 2),
        (id, BudgetLimit::Turns, 3, 2),
    ];
    assert_eq!(seen, expected);
}

/// A request whose body names the conversation is a turn of that.
pub async fn a_request_that_moves_is_a_turn_of_where_it_goes<A: Adapter>() {
    let (builder, told) = stage(SessionBudget::new().turns(1));
    let stage = builder.start::<A>().await;
    for _ in 0..2 {
        let body = json!({"conversation_id": "conversation-7"});
        let call = stage.request("POST", "/link").json(&body);
        assert_eq!(call.send().await.status, 200);
    }
    let told = told.lock().unwrap();
    let seen: Vec<_> = told.iter().map(|it| (it.session, it.usage.turns)).collect();
    assert_eq!(seen, [(SessionId::from("conversation-7"), 2)]);
}

/// A hook that panics is counted, and nobody notices.
pub async fn a_budgets_hook_that_panics_changes_nothing<A: Adapter>() {
    let budget = SessionBudget::new().turns(0);
    let budget = budget.on_passed(|_| panic!("on purpose"));
    let builder = Stage::builder().tracer(|builder| builder.session_budget(budget));
    let stage = builder.start::<A>().await;
    let answer = stage.request("POST", "/chat/7").send().await;
    assert_eq!((answer.status, answer.text()), (200, "42"));
    assert_eq!(stage.stats().callback_panics, 1);
}

fn stage(budget: SessionBudget) -> (StageBuilder, Told) {
    let told = Told::default();
    let hook = Arc::clone(&told);
    let budget = budget.on_passed(move |passed| hook.lock().unwrap().push(passed.clone()));
    let builder = Stage::builder().tracer(|builder| builder.session_budget(budget));
    (builder, told)
}
