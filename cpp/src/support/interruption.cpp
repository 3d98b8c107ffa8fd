#include "support/interruption.hpp"

#include <utility>

namespace lindmft::support {
namespace {

constexpr double kOperations = 1e7;                 // before the clock is read: a few milliseconds
constexpr std::chrono::milliseconds kInterval{50};  // least time between two calls of ask

}  // namespace

Interruptible*& Interruptible::current() {
  thread_local Interruptible* innermost = nullptr;
  return innermost;
}

Interruptible::Interruptible(std::function<void()> ask)
    : ask_(std::move(ask)), outer_(std::exchange(current(), this)) {}

Interruptible::~Interruptible() { current() = outer_; }

void Interruptible::count(double operations) {
  operations_ += operations;
  if (operations_ < kOperations) return;
  operations_ = 0.0;
  const auto now = std::chrono::steady_clock::now();
  if (now - asked_ < kInterval) return;
  asked_ = now;
  ask_();
}

void SharedWork::fail() {
  const std::lock_guard lock(guard_);
  if (!error_) error_ = std::current_exception();
  stop_ = true;
}

}  // namespace lindmft::support
