"""The benchmarks: real servers in processes of their own, driven from outside, ours and bare ones in turn."""
