// kernel.h, which comes before every source, has what is needed of it.
