"""The side-by-side comparison behind `tools/bench`; `Benchmarks/README.md` tells the method."""
