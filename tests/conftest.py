"""What all tests need before they start."""

import signal

from hypothesis import settings

# A shell that runs the tests in the background hands an ignored SIGINT down to them, and they to
# the processes that they start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Random tests take the same examples every time where CI is set, as Hypothesis has it. The tests of
# hostile input have a campaign of fifty times as many:
#   pytest tests/test_fuzz_*.py --hypothesis-profile=campaign
settings.register_profile("campaign", max_examples=5000, deadline=None)
