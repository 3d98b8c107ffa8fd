! The functions of lindmft/lindmft.h for Fortran 2003, under their names in C. The header says what they do.
!
! Texts for C end with c_null_char. Arrays are row-major: the last index of the header is the first one in Fortran.
module lindmft
  use, intrinsic :: iso_c_binding
  implicit none

  enum, bind(c)
    enumerator :: LINDMFT_OK = 0
    enumerator :: LINDMFT_INVALID_ARGUMENT = 1
    enumerator :: LINDMFT_MEMORY_LIMIT = 2
    enumerator :: LINDMFT_NOT_CONVERGED = 3
    enumerator :: LINDMFT_INTERRUPTED = 4
    enumerator :: LINDMFT_INTERNAL_ERROR = 5
  end enum

  interface
    function lindmft_last_error() bind(c) result(text)
      import :: c_ptr
      type(c_ptr) :: text
    end function

    function lindmft_version() bind(c) result(text)
      import :: c_ptr
      type(c_ptr) :: text
    end function

    function lindmft_problem_new() bind(c) result(problem)
      import :: c_ptr
      type(c_ptr) :: problem
    end function

    subroutine lindmft_problem_free(problem) bind(c)
      import :: c_ptr
      type(c_ptr), value :: problem
    end subroutine

    function lindmft_problem_set_double(problem, field, number) bind(c) result(status)
      import :: c_ptr, c_char, c_double, c_int
      type(c_ptr), value :: problem
      character(kind=c_char), intent(in) :: field(*)
      real(c_double), value :: number
      integer(c_int) :: status
    end function

    function lindmft_problem_set_doubles(problem, field, numbers, count) bind(c) result(status)
      import :: c_ptr, c_char, c_double, c_int, c_size_t
      type(c_ptr), value :: problem
      character(kind=c_char), intent(in) :: field(*)
      real(c_double), intent(in) :: numbers(*)
      integer(c_size_t), value :: count
      integer(c_int) :: status
    end function

    function lindmft_problem_set_string(problem, field, word) bind(c) result(status)
      import :: c_ptr, c_char, c_int
      type(c_ptr), value :: problem
      character(kind=c_char), intent(in) :: field(*)
      character(kind=c_char), intent(in) :: word(*)
      integer(c_int) :: status
    end function

    function lindmft_problem_check(problem, steps) bind(c) result(status)
      import :: c_ptr, c_int
      type(c_ptr), value :: problem
      integer(c_int), value :: steps
      integer(c_int) :: status
    end function

    function lindmft_options_new() bind(c) result(options)
      import :: c_ptr
      type(c_ptr) :: options
    end function

    subroutine lindmft_options_free(options) bind(c)
      import :: c_ptr
      type(c_ptr), value :: options
    end subroutine

    function lindmft_options_list() bind(c) result(text)
      import :: c_ptr
      type(c_ptr) :: text
    end function

    function lindmft_options_set_double(options, name, number) bind(c) result(status)
      import :: c_ptr, c_char, c_double, c_int
      type(c_ptr), value :: options
      character(kind=c_char), intent(in) :: name(*)
      real(c_double), value :: number
      integer(c_int) :: status
    end function

    function lindmft_options_set_string(options, name, word) bind(c) result(status)
      import :: c_ptr, c_char, c_int
      type(c_ptr), value :: options
      character(kind=c_char), intent(in) :: name(*)
      character(kind=c_char), intent(in) :: word(*)
      integer(c_int) :: status
    end function

    function lindmft_options_set_progress(options, progress, user) bind(c) result(status)
      import :: c_ptr, c_funptr, c_int
      type(c_ptr), value :: options
      type(c_funptr), value :: progress
      type(c_ptr), value :: user
      integer(c_int) :: status
    end function

    function lindmft_solve(problem, steps, options, solution) bind(c) result(status)
      import :: c_ptr, c_int
      type(c_ptr), value :: problem
      integer(c_int), value :: steps
      type(c_ptr), value :: options
      type(c_ptr), intent(out) :: solution
      integer(c_int) :: status
    end function

    function lindmft_flow(problem, time, options, solution) bind(c) result(status)
      import :: c_ptr, c_double, c_int
      type(c_ptr), value :: problem
      real(c_double), value :: time
      type(c_ptr), value :: options
      type(c_ptr), intent(out) :: solution
      integer(c_int) :: status
    end function

    function lindmft_train(problem, steps, dim, seeds, n_seeds, options, runs) bind(c) result(status)
      import :: c_ptr, c_int, c_int64_t, c_size_t
      type(c_ptr), value :: problem
      integer(c_int), value :: steps
      integer(c_int), value :: dim
      integer(c_int64_t), intent(in) :: seeds(*)
      integer(c_size_t), value :: n_seeds
      type(c_ptr), value :: options
      type(c_ptr), intent(out) :: runs
      integer(c_int) :: status
    end function

    function lindmft_result_name(results, i) bind(c) result(text)
      import :: c_ptr, c_size_t
      type(c_ptr), value :: results
      integer(c_size_t), value :: i
      type(c_ptr) :: text
    end function

    function lindmft_result_shape(results, name, rank, shape) bind(c) result(status)
      import :: c_ptr, c_char, c_int, c_size_t
      type(c_ptr), value :: results
      character(kind=c_char), intent(in) :: name(*)
      integer(c_size_t), intent(out) :: rank
      integer(c_size_t), intent(out) :: shape(3)
      integer(c_int) :: status
    end function

    function lindmft_result_copy(results, name, numbers, count) bind(c) result(status)
      import :: c_ptr, c_char, c_double, c_int, c_size_t
      type(c_ptr), value :: results
      character(kind=c_char), intent(in) :: name(*)
      real(c_double), intent(out) :: numbers(*)
      integer(c_size_t), value :: count
      integer(c_int) :: status
    end function

    subroutine lindmft_result_free(results) bind(c)
      import :: c_ptr
      type(c_ptr), value :: results
    end subroutine
  end interface

contains

  ! The text of C at an address, such as that of lindmft_last_error(), which must not be null.
  function text_at(address) result(text)
    type(c_ptr), intent(in) :: address
    character(len=:), allocatable :: text
    interface
      function strlen(text) bind(c) result(length)
        import :: c_ptr, c_size_t
        type(c_ptr), value :: text
        integer(c_size_t) :: length
      end function
    end interface
    character(kind=c_char), pointer :: letters(:)
    integer :: i

    call c_f_pointer(address, letters, [strlen(address)])
    allocate (character(len=size(letters)) :: text)
    do i = 1, size(letters)
      text(i:i) = letters(i)
    end do
  end function
end module
