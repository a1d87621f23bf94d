#include "harness.h"
const Scenario difference_scenarios[] = {{NULL, NULL, 0}};
