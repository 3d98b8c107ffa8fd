"""What all tests need before they start."""

import signal

# A shell that runs the tests in the background hands an ignored SIGINT down to them, and they to
# the processes that they start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
