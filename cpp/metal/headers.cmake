# Apple's C++ headers for Metal, into VEEM_METAL_CPP_DIR unless that is given. They are Apple's
# (Apache 2.0) and not copied into this repository; both sources are pinned by hash.
if(VEEM_METAL_CPP_DIR)
  return()
endif()
set(HEADERS ${CMAKE_BINARY_DIR}/metal-cpp)

if(APPLE)
  set(FOUND ${HEADERS}/metal-cpp)
  if(NOT EXISTS ${FOUND})
    file(DOWNLOAD https://developer.apple.com/metal/cpp/files/metal-cpp_26.zip
         ${HEADERS}/metal-cpp.zip STATUS STATUS)
    list(GET STATUS 0 FAILED)
    if(NOT FAILED)
      file(SHA256 ${HEADERS}/metal-cpp.zip HASH)
      set(PINNED 4df3c078b9aadcb516212e9cb03004cbc5ce9a3e9c068fa3144d021db585a3a4)
      if(NOT HASH STREQUAL PINNED)
        message(FATAL_ERROR "metal-cpp_26.zip has the SHA-256 ${HASH}, not ${PINNED}")
      endif()
      file(ARCHIVE_EXTRACT INPUT ${HEADERS}/metal-cpp.zip DESTINATION ${HEADERS})
    endif()
  endif()
else()
  # The wheel mlx-metal from PyPI carries the same headers, for computers that are no Macs.
  set(FOUND ${HEADERS}/mlx/include/metal_cpp)
  if(NOT EXISTS ${FOUND})
    file(WRITE ${HEADERS}/requirements.txt "mlx-metal==0.32.4 --hash=sha256:\
8019b2db622599267d66cc168b2f0dbf5af929790a6c3b3913e00eabc42a7947\n")
    message(STATUS "Downloading Apple's Metal headers (45 MB, once)")
    execute_process(
      COMMAND ${Python_EXECUTABLE} -m pip download --quiet --no-deps --only-binary=:all:
              --platform macosx_14_0_arm64 --python-version 3.12 --require-hashes
              --requirement requirements.txt
      WORKING_DIRECTORY ${HEADERS} RESULT_VARIABLE FAILED)
    if(NOT FAILED)
      set(WHEEL ${HEADERS}/mlx_metal-0.32.4-py3-none-macosx_14_0_arm64.whl)
      file(ARCHIVE_EXTRACT INPUT ${WHEEL} DESTINATION ${HEADERS} PATTERNS mlx/include/metal_cpp)
    endif()
  endif()
endif()

if(EXISTS ${FOUND})
  set(VEEM_METAL_CPP_DIR ${FOUND})
elseif(VEEM_METAL STREQUAL AUTO)
  message(STATUS "Apple's Metal headers could not be downloaded: no Metal backend")
else()
  message(FATAL_ERROR "Apple's Metal headers could not be downloaded; \
give their folder in -DVEEM_METAL_CPP_DIR (https://developer.apple.com/metal/cpp)")
endif()
