"""An experiment on a list in the program."""

from honeyhive import evaluate

dataset = [{"inputs": {"query": word}, "ground_truth": {"answer": word.upper()}} for word in ("a", "b", "c")]


def shout(datapoint):
    return {"answer": datapoint["inputs"]["query"].upper() if datapoint["inputs"]["query"] != "c" else "?"}


def exact(outputs, inputs, ground_truth):
    return {"score": float(outputs["answer"] == ground_truth["answer"]), "explanation": "as it is"}


result = evaluate(shout, dataset=dataset, evaluators=[exact], name="inline", print_results=True)
detail = next(detail for detail in result.metrics.details if detail.metric_name == "exact")
assert sorted(detail.values) == [0.0, 1.0, 1.0], detail
assert abs(detail.aggregate - 2 / 3) < 1e-9, detail
assert len(result.passed) + len(result.failed) == 3, result
