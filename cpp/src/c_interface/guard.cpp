#include "c_interface/guard.hpp"

#include <array>
#include <cctype>
#include <cstddef>
#include <cstdio>
#include <new>
#include <stdexcept>
#include <string>

#include "lindmft/config.hpp"
#include "lindmft/errors.hpp"
#include "lindmft/lindmft.h"

namespace lindmft::c_interface {
namespace {

// Of a fixed length: keeping the message must not fail.
thread_local std::array<char, 2048> last_error{};

int keep(int status, const char* message) noexcept {
  std::snprintf(last_error.data(), last_error.size(), "%s", message);
  return status;
}

}  // namespace

int keep_error() noexcept {
  try {
    throw;
  } catch (const std::invalid_argument& error) {
    return keep(LINDMFT_INVALID_ARGUMENT, error.what());
  } catch (const MemoryLimit& error) {
    return keep(LINDMFT_MEMORY_LIMIT, error.what());
  } catch (const std::bad_alloc&) {
    return keep(LINDMFT_MEMORY_LIMIT, "out of memory");
  } catch (const NotConverged& error) {
    return keep(LINDMFT_NOT_CONVERGED, error.what());
  } catch (const Interrupted& error) {
    return keep(LINDMFT_INTERRUPTED, error.what());
  } catch (const std::exception& error) {
    return keep(LINDMFT_INTERNAL_ERROR, error.what());
  } catch (...) {
    return keep(LINDMFT_INTERNAL_ERROR, "an exception of unknown type");
  }
}

std::string quoted(const char* text) {
  constexpr std::size_t kMost = 60;
  std::string out = "'";
  for (; *text != '\0' && out.size() <= kMost; ++text)
    out += std::isprint(static_cast<unsigned char>(*text)) != 0 ? *text : '?';
  return out + (*text == '\0' ? "'" : "...'");
}

}  // namespace lindmft::c_interface

extern "C" {

const char* lindmft_last_error(void) { return lindmft::c_interface::last_error.data(); }

const char* lindmft_version(void) { return lindmft::version(); }
}
