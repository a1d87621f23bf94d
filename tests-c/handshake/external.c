#include "harness.h"
const Scenario external_scenarios[] = {{NULL, NULL, 0}};
