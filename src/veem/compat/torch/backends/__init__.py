"""torch.backends: what PyTorch computes with elsewhere; flags for it change nothing.

They say which kernels to choose or how exact products of float32 may be. veem's are
chosen by the processor, and exact.
"""
