#include "harness.h"
const Scenario early_data_scenarios[] = {{NULL, NULL, 0}};
