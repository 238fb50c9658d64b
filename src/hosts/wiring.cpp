#include "hosts/wiring.hpp"

namespace dispatcher {

Services make_services() {
  Services services;
  services.serve = serve;
  services.run = run;
  services.listen = listen;
  services.with_api = with_api;
  services.backup_store = backup_store;
  services.check_store = check_store;
  services.restore_store = restore_store;
  return services;
}

}  // namespace dispatcher
