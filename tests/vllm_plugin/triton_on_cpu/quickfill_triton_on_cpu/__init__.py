"""A Triton backend that is there and compiles nothing: with TRITON_INTERPRET=1 nothing has to be compiled."""
