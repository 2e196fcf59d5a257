"""The benchmarks, each in its own file behind `Benchmark`; `catalog` knows them by name."""
