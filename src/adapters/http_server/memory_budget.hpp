// What all connections together hold in memory for their clients, and a bound on it.
#pragma once

#include <atomic>
#include <cstddef>

namespace dispatcher {

// Shared by the loops; callable from any thread.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  [[nodiscard]] bool has_room_for(std::size_t bytes) const {
    const std::size_t used = used_.load(std::memory_order_relaxed);
    return used < max_bytes_ && bytes <= max_bytes_ - used;
  }

 private:
  friend class MemoryCharge;

  const std::size_t max_bytes_;
  std::atomic<std::size_t> used_{0};
};

// One connection's part of the budget, given back at its end. Belongs to the connection's loop.
class MemoryCharge {
 public:
  explicit MemoryCharge(MemoryBudget& budget) : budget_(budget) {}
  ~MemoryCharge() { set(0); }
  MemoryCharge(const MemoryCharge&) = delete;
  MemoryCharge& operator=(const MemoryCharge&) = delete;

  // False, and nothing changed, when the budget does not hold that much. Two loops at once may pass
  // the bound by one step each.
  [[nodiscard]] bool try_set(std::size_t bytes) {
    if (bytes > charged_ && !budget_.has_room_for(bytes - charged_)) {
      return false;
    }
    set(bytes);
    return true;
  }

  // For what is in memory already.
  void set(std::size_t bytes) {
    if (bytes != charged_) {
      budget_.used_.fetch_add(bytes - charged_,
                              std::memory_order_relaxed);  // wraps when it shrinks
      charged_ = bytes;
    }
  }

 private:
  MemoryBudget& budget_;
  std::size_t charged_ = 0;
};

}  // namespace dispatcher
