#include "harness.h"
const Scenario order_scenarios[] = {{NULL, NULL, 0}};
