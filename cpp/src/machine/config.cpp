#include "lindmft/config.hpp"

#include "linalg/blas.hpp"
#include "lindmft/version.h"
#include "support/platform.hpp"
#include "support/threads.hpp"

namespace lindmft {

const char* version() noexcept { return LINDMFT_VERSION; }

Config config() {
  Config c;
  c.version = version();
  c.compiler = LINDMFT_COMPILER;
  c.build_type = LINDMFT_BUILD_TYPE;
  c.blas = linalg::blas_description();
#ifdef _OPENMP
  c.openmp = std::to_string(_OPENMP);
#else
  c.openmp = "off";
#endif
  c.instruction_set = support::instruction_set();
  c.cores = support::allowed_cores();
  c.threads = support::resolve_threads(0);
  return c;
}

}  // namespace lindmft
