// The compiled parts of Asio, its TLS and Beast: here once, instead of in every unit that uses
// them.

// Beast 1.81 asserts that a body's last chunk comes in five bytes or more; it is right without
// that, and who sends fewer may not end a build that asserts.
#define BOOST_DISABLE_ASSERTS
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
