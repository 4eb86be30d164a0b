# orrery_room(NAME [LIBS ...] [PLAIN | MODULES])
# One static library a room of src/: every .cpp below src/NAME, linked to the rooms and libraries it may use,
# so that a wrong include fails to link. PLAIN rooms use few or no libtorch headers and skip the precompiled header,
# whose loading would cost them more than it saves; rooms of MODULES take the one with torch::nn.
function(orrery_room name)
  cmake_parse_arguments(ARG "PLAIN;MODULES" "" "LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  if(NOT sources)
    add_library(orrery_${name} INTERFACE)
    target_include_directories(orrery_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(orrery_${name} INTERFACE ${ARG_LIBS})
    return()
  endif()
  add_library(orrery_${name} STATIC ${sources})
  target_include_directories(orrery_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(orrery_${name} PUBLIC ${ARG_LIBS})
  if(ARG_MODULES)
    orrery_torch_target(orrery_${name} MODULES)
    orrery_unity(orrery_${name})
  elseif(NOT ARG_PLAIN)
    orrery_torch_target(orrery_${name})
  endif()
endfunction()

# A library that only holds a precompiled header of cmake/ for others to reuse.
function(orrery_pch name header)
  add_library(${name} STATIC ${CMAKE_SOURCE_DIR}/cmake/pch.cpp)
  target_link_libraries(${name} PUBLIC Libtorch::torch nlohmann_json::nlohmann_json)
  target_include_directories(${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  if(ORRERY_NATIVE)
    target_compile_options(${name} PRIVATE -march=native)
  endif()
  target_precompile_headers(${name} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/${header})
endfunction()

# Gives a target libtorch and a shared precompiled header: that of tensors, or that of MODULES.
function(orrery_torch_target target)
  cmake_parse_arguments(ARG "MODULES" "" "" ${ARGN})
  target_link_libraries(${target} PUBLIC Libtorch::torch)
  if(ORRERY_NATIVE)
    target_compile_options(${target} PRIVATE -march=native)
  endif()
  if(ARG_MODULES)
    target_precompile_headers(${target} REUSE_FROM orrery_module_pch)
  else()
    target_precompile_headers(${target} REUSE_FROM orrery_tensor_pch)
  endif()
endfunction()

# Compiles files four at a time: what most of them cost is the templates of the headers that they share. Names in their anonymous namespaces
# must differ, then; where they do not, set SKIP_UNITY_BUILD_INCLUSION on the file.
function(orrery_unity target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 4)
endfunction()

# For code in which no time is spent: a quarter less to compile. Numbers stay the same, since no optimisation here changes them.
function(orrery_glue target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()

# Gives a program that trains or plays jemalloc in place of the C library's allocator (not under sanitizers, which bring their own).
function(orrery_fast_malloc target)
  if(JEMALLOC AND NOT ORRERY_SANITIZE)
    target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/malloc_conf.cpp)
    target_link_libraries(${target} PRIVATE -Wl,--push-state,--no-as-needed ${JEMALLOC} -Wl,--pop-state)
  endif()
endfunction()
