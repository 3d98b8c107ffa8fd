# Target lindmft_cblas: the CBLAS to use. LINDMFT_BLAS is "auto" (scipy-openblas32 if the Python found has it, else the
# system's), "scipy" or "system".
#
# For those who link the installed static library: LINDMFT_CBLAS_FLAGS has the linker flags, and LINDMFT_FIND_CBLAS the
# commands that make the target lindmft::cblas. The system's BLAS is looked for again where it is linked; that of Python
# stays where it was.
set(LINDMFT_BLAS
    "auto"
    CACHE STRING "Which BLAS: auto, scipy (the scipy-openblas32 package) or system")
set_property(CACHE LINDMFT_BLAS PROPERTY STRINGS auto scipy system)

add_library(lindmft_cblas INTERFACE)

unset(_scipy_lib)
unset(LINDMFT_CBLAS_FOLDER)
if(NOT LINDMFT_BLAS STREQUAL "system")
  find_package(
    Python
    COMPONENTS Interpreter
    QUIET)
  if(Python_Interpreter_FOUND)
    execute_process(
      COMMAND ${Python_EXECUTABLE} -c "import scipy_openblas32 as s; print(s.get_lib_dir())"
      OUTPUT_VARIABLE _scipy_lib
      OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(_scipy_lib)
      find_package(OpenBLAS CONFIG REQUIRED PATHS ${_scipy_lib}/cmake/openblas NO_DEFAULT_PATH)
    endif()
  endif()
  if(LINDMFT_BLAS STREQUAL "scipy" AND NOT _scipy_lib)
    message(
      FATAL_ERROR
        "lindmft: LINDMFT_BLAS=scipy, but the Python found cannot import scipy_openblas32 (pip install scipy-openblas32)"
    )
  endif()
endif()

if(_scipy_lib)
  # The package's older releases define these variables, and no target.
  target_include_directories(lindmft_cblas SYSTEM INTERFACE ${OpenBLAS_INCLUDE_DIRS})
  target_link_libraries(lindmft_cblas INTERFACE ${OpenBLAS_LIBRARIES})
  target_compile_definitions(lindmft_cblas INTERFACE LINDMFT_SCIPY_OPENBLAS)
  # An environment of Python inside the repository is not among the paths that CMake keeps by itself.
  set(LINDMFT_CBLAS_FOLDER ${_scipy_lib})
  set(LINDMFT_CBLAS_FLAGS -L${_scipy_lib} -lscipy_openblas -Wl,-rpath,${_scipy_lib})
  set(LINDMFT_FIND_CBLAS
      "  find_dependency(OpenBLAS CONFIG PATHS \"${_scipy_lib}/cmake/openblas\" NO_DEFAULT_PATH)
  if(NOT TARGET lindmft::cblas)
    add_library(lindmft::cblas INTERFACE IMPORTED)
    set_target_properties(lindmft::cblas PROPERTIES INTERFACE_LINK_LIBRARIES \"\${OpenBLAS_LIBRARIES}\")
  endif()")
  message(STATUS "lindmft: BLAS is scipy-openblas32 ${OpenBLAS_VERSION}")
else()
  find_path(CBLAS_INCLUDE_DIR cblas.h PATH_SUFFIXES openblas openblas-pthread)
  find_library(CBLAS_LIBRARY NAMES openblas cblas blas)
  if(NOT CBLAS_INCLUDE_DIR OR NOT CBLAS_LIBRARY)
    message(
      FATAL_ERROR
        "lindmft: no CBLAS found. Install one (Debian: libopenblas-dev), or scipy-openblas32 for the Python that CMake finds"
    )
  endif()
  target_include_directories(lindmft_cblas INTERFACE ${CBLAS_INCLUDE_DIR})
  target_link_libraries(lindmft_cblas INTERFACE ${CBLAS_LIBRARY})
  if(CBLAS_LIBRARY MATCHES "openblas")
    target_compile_definitions(lindmft_cblas INTERFACE LINDMFT_SYSTEM_OPENBLAS)
  endif()
  get_filename_component(_cblas_name ${CBLAS_LIBRARY} NAME_WE)
  string(REGEX REPLACE "^lib" "" _cblas_name ${_cblas_name})
  set(LINDMFT_CBLAS_FLAGS -l${_cblas_name})
  set(LINDMFT_FIND_CBLAS
      "  find_library(LINDMFT_CBLAS_LIBRARY NAMES ${_cblas_name})
  if(NOT LINDMFT_CBLAS_LIBRARY)
    set(lindmft_FOUND FALSE)
    set(lindmft_NOT_FOUND_MESSAGE \"the static library needs the BLAS that it was built with, ${_cblas_name}\")
    return()
  endif()
  if(NOT TARGET lindmft::cblas)
    add_library(lindmft::cblas INTERFACE IMPORTED)
    set_target_properties(lindmft::cblas PROPERTIES INTERFACE_LINK_LIBRARIES \"\${LINDMFT_CBLAS_LIBRARY}\")
  endif()")
  message(STATUS "lindmft: BLAS is ${CBLAS_LIBRARY}")
endif()
