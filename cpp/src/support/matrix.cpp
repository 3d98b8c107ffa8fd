#include "lindmft/matrix.hpp"

#include <cstdlib>
#include <new>

namespace lindmft {

void Matrix::Free::operator()(double* p) const noexcept { std::free(p); }

Matrix::Matrix(int rows, int cols) : rows_(rows), cols_(cols) {
  if (rows <= 0 || cols <= 0) return;
  values_.reset(static_cast<double*>(
      std::calloc(static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols), sizeof(double))));
  if (!values_) throw std::bad_alloc();
}

double* Matrix::release() {
  rows_ = cols_ = 0;
  return values_.release();
}

}  // namespace lindmft
