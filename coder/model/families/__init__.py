"""The published diffusion language models that can be run.

`family` says what a family is, `catalog` describes each; `loading` opens a checkpoint, `tokenizer_files` and `frame`
make its tokenizer and its prompts.
"""
