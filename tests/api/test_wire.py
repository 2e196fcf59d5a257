"""The law of requests in JSON: flat and nested are each other's reverse."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coder.api.completion import CompletionRequest, Decoding, Where
from coder.api.text_requests import ApplyRequest, EditRequest, FillRequest, RepairRequest
from coder.api.wire import AnyRequest, flat, nested

DECODING = st.builds(Decoding, st.sampled_from(["auto", "threshold:0.8"]), st.none() | st.integers(1, 64))
WHERE = st.builds(Where, st.none() | st.text(max_size=4), st.none() | st.text(max_size=4))
REQUESTS = st.one_of(
    st.builds(CompletionRequest, st.text(max_size=4), where=WHERE, decoding=DECODING),
    st.builds(FillRequest, st.tuples(st.text(max_size=4), st.text(max_size=4)), WHERE, DECODING),
    st.builds(RepairRequest, st.text(max_size=4), where=WHERE, decoding=DECODING),
    st.builds(EditRequest, st.text(max_size=4), st.just(0), st.just(0), where=WHERE, decoding=DECODING),
    st.builds(ApplyRequest, st.text(max_size=4), st.text(max_size=4), WHERE),
)


@given(REQUESTS)
def test_a_request_comes_back_from_its_json(request: AnyRequest):
    values = flat(request)
    assert not {"decoding", "where"} & values.keys()
    again = nested(type(request), {name: value for name, value in values.items() if name != "constraints"})
    assert again == request
