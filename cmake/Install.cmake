# What `cmake --install` puts where: headers, both libraries, and how CMake and pkg-config find them. The wheel takes
# the component "python" alone.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(LINDMFT_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/lindmft)

install(
  TARGETS lindmft_static lindmft_shared
  EXPORT lindmftTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
          COMPONENT runtime
          NAMELINK_COMPONENT development
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime
  INCLUDES
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(
  DIRECTORY cpp/include/lindmft ${PROJECT_BINARY_DIR}/include/lindmft
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT development
  FILES_MATCHING
  PATTERN "*.h"
  PATTERN "*.hpp")
install(
  EXPORT lindmftTargets
  NAMESPACE lindmft::
  DESTINATION ${LINDMFT_CMAKE_DIR}
  COMPONENT development)

configure_package_config_file(cmake/lindmftConfig.cmake.in lindmftConfig.cmake INSTALL_DESTINATION ${LINDMFT_CMAKE_DIR})
write_basic_package_version_file(lindmftConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES ${PROJECT_BINARY_DIR}/lindmftConfig.cmake ${PROJECT_BINARY_DIR}/lindmftConfigVersion.cmake
  DESTINATION ${LINDMFT_CMAKE_DIR}
  COMPONENT development)

# pkg-config: the prefix is found from where the file lies; what the static library needs is private.
set(PC_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" PC_PREFIX ${PC_PREFIX})
set(PC_PRIVATE ${LINDMFT_CBLAS_FLAGS})
# Clang finds its OpenMP library by itself only where it compiles with OpenMP.
if("omp" IN_LIST OpenMP_CXX_LIB_NAMES)
  get_filename_component(folder ${OpenMP_omp_LIBRARY} DIRECTORY)
  list(APPEND PC_PRIVATE -L${folder} -Wl,-rpath,${folder})
endif()
foreach(library ${OpenMP_CXX_LIB_NAMES} ${CMAKE_CXX_IMPLICIT_LINK_LIBRARIES})
  if(library MATCHES "^(gomp|omp|pthread|stdc\\+\\+|c\\+\\+|m)$")
    list(APPEND PC_PRIVATE -l${library})
  endif()
endforeach()
list(REMOVE_DUPLICATES PC_PRIVATE)
list(JOIN PC_PRIVATE " " PC_PRIVATE)
configure_file(cmake/lindmft.pc.in lindmft.pc @ONLY)
install(
  FILES ${PROJECT_BINARY_DIR}/lindmft.pc
  DESTINATION ${PC_DIR}
  COMPONENT development)
