# Before project(): VEEM_METAL, also from the environment, and for a simulated build a compiler
# that knows blocks and the vectors that kernels are translated to. That is clang 16 or newer, or
# clang as the Python package ziglang carries it.
set(VEEM_METAL AUTO CACHE STRING "AUTO, ON, OFF or SIMULATED")
if(DEFINED ENV{VEEM_METAL})
  set_property(CACHE VEEM_METAL PROPERTY VALUE $ENV{VEEM_METAL})
endif()
if(NOT VEEM_METAL MATCHES "^(AUTO|ON|OFF|SIMULATED)$")
  message(FATAL_ERROR "VEEM_METAL=${VEEM_METAL}: choose AUTO, ON, OFF or SIMULATED")
endif()

if(VEEM_METAL STREQUAL SIMULATED AND NOT CMAKE_CXX_COMPILER)
  set(PYTHON python3)
  if(Python_EXECUTABLE)
    set(PYTHON ${Python_EXECUTABLE})
  endif()
  # $CXX is not always the user's word: scikit-build-core sets it to what built Python.
  foreach(CLANG $ENV{CXX} clang++-19 clang++-18 clang++-17 clang++-16 clang++)
    execute_process(COMMAND ${CLANG} --version OUTPUT_VARIABLE SAID ERROR_QUIET)
    if(SAID MATCHES "clang version ([0-9]+)" AND CMAKE_MATCH_1 GREATER_EQUAL 16)
      set(CMAKE_CXX_COMPILER ${CLANG})
      break()
    endif()
  endforeach()
  if(NOT CMAKE_CXX_COMPILER)
    execute_process(COMMAND ${PYTHON} -m ziglang version RESULT_VARIABLE FAILED
                    OUTPUT_QUIET ERROR_QUIET)
    if(FAILED)
      message(FATAL_ERROR "The Metal simulator needs clang 16 or newer: \
sudo apt-get install clang-16, or without root: pip install ziglang")
    endif()
    # zig spells x86-64-v3 with underscores, and means this very processor where none is named.
    file(WRITE ${CMAKE_BINARY_DIR}/zig-c++ [[#!/bin/sh
cpu=-mcpu=baseline
for a; do
  shift
  case $a in -march=*) cpu= a=$(echo "$a" | tr - _ | sed s/_march/-march/) ;; esac
  set -- "$@" "$a"
done
]])
    file(APPEND ${CMAKE_BINARY_DIR}/zig-c++ "exec '${PYTHON}' -m ziglang c++ $cpu \"$@\"\n")
    execute_process(COMMAND chmod +x ${CMAKE_BINARY_DIR}/zig-c++)
    set(CMAKE_CXX_COMPILER ${CMAKE_BINARY_DIR}/zig-c++)
    # It lacks what tells at run time what a processor can do: one instruction set, for this one.
    set(ISA v2)
    if(EXISTS /proc/cpuinfo)
      file(STRINGS /proc/cpuinfo FLAGS REGEX "^flags" LIMIT_COUNT 1)
      if(FLAGS MATCHES " fma " AND FLAGS MATCHES " avx2 " AND FLAGS MATCHES " bmi2 ")
        set(ISA v3)
      endif()
    endif()
    set(VEEM_ISAS ${ISA} CACHE STRING "Instruction sets to build for, the lowest first")
  endif()
endif()
