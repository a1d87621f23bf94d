#include "harness.h"
const Scenario switch_scenarios[] = {{NULL, NULL, 0}};
