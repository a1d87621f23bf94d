#include "harness.h"
const Scenario client_scenarios[] = {{NULL, NULL, 0}};
