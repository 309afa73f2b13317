# VEEM_METAL: AUTO (on where there is an Apple GPU), ON, OFF, or SIMULATED, where software
# runs the kernels on this computer's processor and checks them (cpp/simulator).
set(VEEM_METAL AUTO CACHE STRING "AUTO, ON, OFF or SIMULATED")
