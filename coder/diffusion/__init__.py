"""Denoising: token ids in, events out. Numpy only; a model is any implementation of `coder.model.runtime.Runtime`.

`run` describes the life of a run, and has the request, the passes and the `Sampler`; `events` the outcome. `canvas`
holds the slots, `policies` names the ways to decode; `unmasking` chooses the slots of a step, by `schedules` too, and
`steering` applies constraints and guides. `block_diffusion` decodes this project's models, `whole_canvas` the published
ones; `likelihood` scores a given text.
"""
