#include "harness.h"
const Scenario end_scenarios[] = {{NULL, NULL, 0}};
