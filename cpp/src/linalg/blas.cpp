#include "linalg/blas.hpp"

#include <cblas.h>

#include <algorithm>
#include <type_traits>

// scipy-openblas prefixes every symbol; a system OpenBLAS adds its own calls to plain CBLAS.
#ifdef LINDMFT_SCIPY_OPENBLAS
#define LINDMFT_BLAS(name) scipy_##name
#define LINDMFT_OPENBLAS
#else
#define LINDMFT_BLAS(name) name
#ifdef LINDMFT_SYSTEM_OPENBLAS
#define LINDMFT_OPENBLAS
#endif
#endif

namespace lindmft::linalg {
namespace {

// The threads of OpenBLAS and of OpenMP in one process compete for the same cores, so BLAS is set to one thread at
// load.
[[maybe_unused]] const bool single_threaded = [] {
#ifdef LINDMFT_OPENBLAS
  LINDMFT_BLAS(openblas_set_num_threads)(1);
#endif
  return true;
}();

}  // namespace

void gemm(View out, ConstView x, ConstView a, Transpose op, double scale, double beta) {
  if (out.rows == 0 || out.cols == 0) return;
  if (x.cols == 0 && beta == 0.0) {  // an empty sum
    for (int i = 0; i < out.rows; ++i) std::fill_n(out.row(i), out.cols, 0.0);
    return;
  }
  const auto trans = op == Transpose::yes ? CblasTrans : CblasNoTrans;
  LINDMFT_BLAS(cblas_dgemm)
  (CblasRowMajor, CblasNoTrans, trans, out.rows, out.cols, x.cols, scale, x.data, static_cast<int>(x.ld), a.data,
   static_cast<int>(a.ld), beta, out.data, static_cast<int>(out.ld));
}

template <class T>
void gemm(T* out, std::ptrdiff_t ld, int rows, int cols, int inner, Operand<T> x, Operand<T> a, T scale, T beta) {
  const auto trans = [](Transpose op) { return op == Transpose::yes ? CblasTrans : CblasNoTrans; };
  if constexpr (std::is_same_v<T, double>) {
    LINDMFT_BLAS(cblas_dgemm)
    (CblasRowMajor, trans(x.op), trans(a.op), rows, cols, inner, scale, x.data, static_cast<int>(x.ld), a.data,
     static_cast<int>(a.ld), beta, out, static_cast<int>(ld));
  } else {
    LINDMFT_BLAS(cblas_sgemm)
    (CblasRowMajor, trans(x.op), trans(a.op), rows, cols, inner, scale, x.data, static_cast<int>(x.ld), a.data,
     static_cast<int>(a.ld), beta, out, static_cast<int>(ld));
  }
}

template void gemm(double*, std::ptrdiff_t, int, int, int, Operand<double>, Operand<double>, double, double);
template void gemm(float*, std::ptrdiff_t, int, int, int, Operand<float>, Operand<float>, float, float);

void gemv(double* y, ConstView a, Transpose op, const double* x, double scale, double beta) {
  const auto trans = op == Transpose::yes ? CblasTrans : CblasNoTrans;
  LINDMFT_BLAS(cblas_dgemv)
  (CblasRowMajor, trans, a.rows, a.cols, scale, a.data, static_cast<int>(a.ld), x, 1, beta, y, 1);
}

std::string blas_description() {
#ifdef LINDMFT_OPENBLAS
  return std::string(LINDMFT_BLAS(openblas_get_config)()) + " (kernels: " + LINDMFT_BLAS(openblas_get_corename)() + ")";
#else
  return "system CBLAS";
#endif
}

}  // namespace lindmft::linalg
