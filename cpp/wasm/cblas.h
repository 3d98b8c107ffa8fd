// The calls of CBLAS that the core makes, for machines without a BLAS: row-major, single-threaded.
#pragma once

enum CBLAS_ORDER { CblasRowMajor = 101, CblasColMajor = 102 };
enum CBLAS_TRANSPOSE { CblasNoTrans = 111, CblasTrans = 112, CblasConjTrans = 113 };

// C++ linkage: only the core, which includes this file, calls them.

/// c = alpha * op(a) op(b) + beta * c, where c is m x n and the sums have k terms
void cblas_dgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, int m, int n, int k, double alpha,
                 const double* a, int lda, const double* b, int ldb, double beta, double* c, int ldc);
void cblas_sgemm(CBLAS_ORDER order, CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, int m, int n, int k, float alpha,
                 const float* a, int lda, const float* b, int ldb, float beta, float* c, int ldc);

/// y = alpha * op(a) x + beta * y, where a is m x n
void cblas_dgemv(CBLAS_ORDER order, CBLAS_TRANSPOSE op, int m, int n, double alpha, const double* a, int lda,
                 const double* x, int incx, double beta, double* y, int incy);
