"""What Bianmin costs in time and memory, measured on real stacks: `make bench`, explained in docs/performance.md."""
