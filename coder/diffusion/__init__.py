"""Denoising: token ids in, events out. Numpy only; a model is whatever answers `coder.model.runtime.Runtime`.

`schedules` say how noisy a block is, `unmasking` which slots a step fixes, `selection` which token a slot gets;
`canvas` holds the slots, `run` makes passes, `algorithms` decode with them. A `request` goes to the `sampler`, which
tells in `events` what happens; `scoring` asks how likely a given text is.
"""
