// Interruption points: which callback is called, and the effect of its result.
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "support/interruption.hpp"

namespace lindmft::support {
namespace {

struct Stop : std::runtime_error {
  Stop() : std::runtime_error("stop") {}
};

constexpr double kLong = 1e9;
constexpr std::chrono::milliseconds kPause{60};

void work() {
  std::this_thread::sleep_for(kPause);
  interruption_point(kLong);
}

TEST(Interruption, AsksTheInnermostOfItsThread) {
  int outer = 0;
  int inner = 0;
  interruption_point(kLong);  // // // no callback
  const Interruptible first([&] { ++outer; });
  {
    const Interruptible second([&] { ++inner; });
    work();
    std::thread([] { work(); }).join();  // another thread calls neither
  }
  work();
  EXPECT_EQ(inner, 1);
  EXPECT_EQ(outer, 1);
}

TEST(Interruption, SmallPiecesAreNotAskedEachTime) {
  int asked = 0;
  const Interruptible here([&] { ++asked; });
  std::this_thread::sleep_for(kPause);
  for (int i = 0; i < 100; ++i) interruption_point(1.0);
  EXPECT_EQ(asked, 0);
}

TEST(Interruption, OfTheCallerEndsTheOtherThreads) {
  const Interruptible here([] { throw Stop(); });
  SharedWork shared;
  std::atomic<bool> ended{false};
  std::thread other([&] {
    shared.run([&] {
      try {
        while (true) work();
      } catch (...) {
        ended = true;
        throw;
      }
    });
  });
  shared.run([] { work(); });
  other.join();
  EXPECT_TRUE(ended);
  EXPECT_THROW(shared.rethrow(), Stop);
}

TEST(Interruption, WhatAnotherThreadThrowsReachesTheCaller) {
  SharedWork shared;
  std::thread([&] { shared.run([] { throw Stop(); }); }).join();
  bool ran = false;
  shared.run([&] { ran = true; });
  EXPECT_FALSE(ran);
  EXPECT_THROW(shared.rethrow(), Stop);
}

}  // namespace
}  // namespace lindmft::support
