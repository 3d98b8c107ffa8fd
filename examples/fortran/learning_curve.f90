! A learning curve in theory and in training, as CSV: the test loss of infinitely
! wide networks, and the mean over finite ones with its standard error.
program learning_curve
  use, intrinsic :: iso_c_binding
  use, intrinsic :: iso_fortran_env, only: error_unit
  use lindmft
  implicit none

  integer, parameter :: steps = 60, seeds = 16, dim = 256
  real(c_double) :: theory(steps), losses(steps, seeds)
  type(c_ptr) :: problem, found
  integer(c_int64_t) :: seed

  problem = lindmft_problem_new()
  call set('network.depth', 2.0_c_double)
  call set('data.alpha', 2.0_c_double)
  call set('data.noise', 0.3_c_double)
  call set('optimizer.lr', 0.1_c_double)

  call check(lindmft_solve(problem, steps, c_null_ptr, found))
  call copy('test_loss', theory, size(theory))
  call lindmft_result_free(found)

  call check(lindmft_train(problem, steps, dim, [(seed, seed=0, seeds - 1)], &
                           int(seeds, c_size_t), c_null_ptr, found))
  call copy('test_loss', losses, size(losses))
  call lindmft_result_free(found)
  call lindmft_problem_free(problem)

  call print_table()

contains

  subroutine set(field, number)
    character(len=*), intent(in) :: field
    real(c_double), intent(in) :: number

    call check(lindmft_problem_set_double(problem, field//c_null_char, number))
  end subroutine

  subroutine copy(name, numbers, count)
    character(len=*), intent(in) :: name
    integer, intent(in) :: count
    real(c_double), intent(out) :: numbers(count)

    call check(lindmft_result_copy(found, name//c_null_char, numbers, &
                                   int(count, c_size_t)))
  end subroutine

  subroutine check(status)
    integer(c_int), intent(in) :: status

    if (status == LINDMFT_OK) return
    write (error_unit, '(a)') text_at(lindmft_last_error())
    stop 1
  end subroutine

  subroutine print_table()
    real(c_double) :: mean, error
    integer :: t

    print '(a)', 'step,theory,training,standard_error'
    do t = 1, steps
      mean = sum(losses(t, :)) / seeds
      error = sqrt(sum((losses(t, :) - mean)**2) / (seeds - 1) / seeds)
      print '(i0, 3(",", es15.8))', t - 1, theory(t), mean, error
    end do
  end subroutine
end program
