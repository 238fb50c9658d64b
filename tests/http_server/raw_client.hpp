// A client over a plain socket that sends exactly the bytes it is told to.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace dispatcher::testing {

struct RawAnswer {
  int status = 0;
  std::string status_line;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // with its chunks put together

  [[nodiscard]] std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string{} : found->second;
  }
};

// Waits at most `kPatience` for anything: a test that hangs fails.
class RawClient {
 public:
  static constexpr int kPatienceSeconds = 30;

  explicit RawClient(std::uint16_t port, int receive_buffer_bytes = 0);
  ~RawClient();
  RawClient(RawClient&& other) noexcept;
  RawClient& operator=(RawClient&&) = delete;

  [[nodiscard]] bool is_connected() const { return socket_ >= 0; }

  // False when the server has closed the connection.
  bool send(std::string_view bytes);
  void end_sending();

  // The next answer; nothing when the connection ends before one is complete. Bytes after it are
  // kept for the next call. A `HEAD` answer has no body.
  [[nodiscard]] std::optional<RawAnswer> read_answer(bool is_head = false);
  // An answer's headers alone, what follows is left.
  [[nodiscard]] std::optional<RawAnswer> read_head();
  // Exactly so many bytes, or fewer at the end.
  [[nodiscard]] std::string read_bytes(std::size_t count);

  enum class End { open, closed, reset };
  // Waits for the end, and drops what comes before it.
  [[nodiscard]] End wait_for_end();
  // Everything up to the end.
  [[nodiscard]] std::string read_to_end();

 private:
  [[nodiscard]] bool receive_more();
  [[nodiscard]] bool receive_at_least(std::size_t bytes);
  [[nodiscard]] bool read_chunked_body(std::string& body);

  int socket_ = -1;
  std::string held_;
  End end_ = End::open;
};

}  // namespace dispatcher::testing
