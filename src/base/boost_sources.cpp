// The compiled parts of Asio, its TLS and Beast: here once, instead of in every unit that uses
// them.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
