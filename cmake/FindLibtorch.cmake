# Imported targets for the libtorch inside a PyTorch wheel, CPU or CUDA, without PyTorch's own CMake package
# (which asks for a CUDA toolkit when the wheel has CUDA).
#   Libtorch::torch   include folders, libtorch, libtorch_cpu, libc10 and, where the wheel has them, its CUDA libraries
# Variables: Libtorch_ROOT (the folder torch/ of a wheel; default: the one in .venv), Libtorch_VERSION, Libtorch_CUDA.
if(NOT Libtorch_ROOT)
  file(GLOB _torch ${CMAKE_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch)
  list(GET _torch 0 _torch)
  set(Libtorch_ROOT "${_torch}" CACHE PATH "The folder torch/ of a PyTorch wheel")
endif()
find_library(Libtorch_LIBRARY torch PATHS ${Libtorch_ROOT}/lib NO_DEFAULT_PATH)
find_library(Libtorch_CPU_LIBRARY torch_cpu PATHS ${Libtorch_ROOT}/lib NO_DEFAULT_PATH)
find_library(Libtorch_C10_LIBRARY c10 PATHS ${Libtorch_ROOT}/lib NO_DEFAULT_PATH)
find_library(Libtorch_CUDA_LIBRARY torch_cuda PATHS ${Libtorch_ROOT}/lib NO_DEFAULT_PATH)
find_library(Libtorch_C10_CUDA_LIBRARY c10_cuda PATHS ${Libtorch_ROOT}/lib NO_DEFAULT_PATH)
find_path(Libtorch_INCLUDE_DIR ATen/ATen.h PATHS ${Libtorch_ROOT}/include NO_DEFAULT_PATH)
if(EXISTS ${Libtorch_ROOT}/version.py)
  file(STRINGS ${Libtorch_ROOT}/version.py _line REGEX "__version__ = ")
  string(REGEX REPLACE ".*'([^']+)'.*" "\\1" Libtorch_VERSION "${_line}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libtorch
  REQUIRED_VARS Libtorch_LIBRARY Libtorch_CPU_LIBRARY Libtorch_C10_LIBRARY Libtorch_INCLUDE_DIR
  VERSION_VAR Libtorch_VERSION
  REASON_FAILURE_MESSAGE "run 'make setup' first, or pass -DLibtorch_ROOT=<site-packages>/torch")

set(Libtorch_CUDA OFF)
if(Libtorch_FOUND AND NOT TARGET Libtorch::torch)
  add_library(Libtorch::torch INTERFACE IMPORTED)
  set(_libs ${Libtorch_LIBRARY} ${Libtorch_CPU_LIBRARY} ${Libtorch_C10_LIBRARY})
  if(Libtorch_CUDA_LIBRARY AND Libtorch_C10_CUDA_LIBRARY)
    # Nothing of ours names a CUDA symbol, so the linker would drop these; loading them registers the device.
    set(Libtorch_CUDA ON)
    list(PREPEND _libs -Wl,--no-as-needed ${Libtorch_CUDA_LIBRARY} ${Libtorch_C10_CUDA_LIBRARY} -Wl,--as-needed)
  endif()
  set_target_properties(Libtorch::torch PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${Libtorch_INCLUDE_DIR};${Libtorch_INCLUDE_DIR}/torch/csrc/api/include"
    INTERFACE_LINK_LIBRARIES "${_libs}"
    INTERFACE_LINK_OPTIONS "-Wl,-rpath,${Libtorch_ROOT}/lib")
endif()
mark_as_advanced(Libtorch_LIBRARY Libtorch_CPU_LIBRARY Libtorch_C10_LIBRARY Libtorch_CUDA_LIBRARY Libtorch_C10_CUDA_LIBRARY Libtorch_INCLUDE_DIR)
