#include "hosts/wiring.hpp"

namespace dispatcher {

Services make_services() {
  Services services;
  services.serve = serve;
  services.run = run;
  services.lambda = lambda;
  services.listen = listen;
  services.with_api = with_api;
  services.backup_store = report_backup;
  services.check_store = report_check;
  services.restore_store = report_restore;
  return services;
}

}  // namespace dispatcher
