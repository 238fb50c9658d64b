// The bridge between coroutines and the store's threads: an operation is queued by the coroutine
// that awaits it, performed on a thread of the store, and completed on the coroutine's executor.
#pragma once

#include "base/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace dispatcher::sqlite {

// Whether a full queue refuses it. What ends or gives back work that is in flight is bounded by
// that work already, and refusing it would only repeat it.
enum class Admission { limited, always };

// Whether it writes to the file, or only to what is known by heart: then it may be answered before
// the group that it came with is written.
enum class Effect { written, remembered };

template <class Context>
class Operation {
 public:
  Operation(Admission admission, std::size_t bytes, Effect effect)
      : admission_(admission), bytes_(bytes), effect_(effect) {}
  virtual ~Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

  // Finds the answer, or takes the error for it. May be called again: the last answer counts.
  virtual void perform(Context& context) = 0;
  virtual void fail(const Error& error) = 0;

  // The caller's.
  [[nodiscard]] virtual boost::asio::any_io_executor executor() const = 0;
  // Gives the answer to the caller, once; on its executor (see `complete`).
  virtual void resume() = 0;

  [[nodiscard]] Admission admission() const { return admission_; }
  // Of what it carries, roughly.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] Effect effect() const { return effect_; }

 private:
  Admission admission_;
  std::size_t bytes_;
  Effect effect_;
};

template <class T, class Context, class Work, class Handler>
class AwaitedOperation final : public Operation<Context> {
 public:
  AwaitedOperation(Admission admission, std::size_t bytes, Effect effect, Work work,
                   Handler handler)
      : Operation<Context>(admission, bytes, effect),
        work_(std::move(work)),
        guard_(boost::asio::get_associated_executor(handler)),
        handler_(std::move(handler)) {}

  void perform(Context& context) override { answer_.emplace(work_(context)); }
  void fail(const Error& error) override { answer_.emplace(error); }
  [[nodiscard]] boost::asio::any_io_executor executor() const override {
    return guard_.get_executor();
  }
  void resume() override {
    guard_.reset();
    std::move(handler_)(std::move(*answer_));
  }

 private:
  Work work_;
  // Keeps the caller's loop from running out of work while the store works.
  boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> guard_;
  Handler handler_;
  std::optional<Result<T>> answer_;
};

// Has the caller given its answer.
template <class Context>
void complete(std::unique_ptr<Operation<Context>> operation) {
  const boost::asio::any_io_executor executor = operation->executor();
  boost::asio::post(executor, [operation = std::move(operation)] { operation->resume(); });
}

template <class Context>
void fail(std::unique_ptr<Operation<Context>> operation, const Error& error) {
  operation->fail(error);
  complete(std::move(operation));
}

// The same for many, with one wake-up of each loop, however many wait on it.
template <class Context>
void complete_all(std::vector<std::unique_ptr<Operation<Context>>> operations) {
  while (!operations.empty()) {
    const boost::asio::any_io_executor executor = operations.front()->executor();
    const auto others = std::stable_partition(
        operations.begin(), operations.end(),
        [&](const auto& operation) { return operation->executor() == executor; });
    std::vector<std::unique_ptr<Operation<Context>>> same{
        std::make_move_iterator(operations.begin()), std::make_move_iterator(others)};
    operations.erase(operations.begin(), others);
    boost::asio::post(executor, [same = std::move(same)]() mutable {
      for (auto& operation : same) {
        std::exchange(operation, nullptr)->resume();
      }
    });
  }
}

// Hands `work` to `queue`, which has `push(std::unique_ptr<Operation<Context>>)`, when awaited.
template <class T, class Context, class Queue, class Work>
[[nodiscard]] boost::asio::awaitable<Result<T>> submit(Queue& queue, Admission admission,
                                                       std::size_t bytes, Work work,
                                                       Effect effect = Effect::written) {
  return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(Result<T>)>(
      [&queue, admission, bytes, effect](auto handler, Work queued) {
        using Handler = decltype(handler);
        queue.push(std::make_unique<AwaitedOperation<T, Context, Work, Handler>>(
            admission, bytes, effect, std::move(queued), std::move(handler)));
      },
      boost::asio::use_awaitable, std::move(work));
}

}  // namespace dispatcher::sqlite
