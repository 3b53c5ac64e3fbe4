# SPDX-License-Identifier: Apache-2.0
foreach(name cpu options pairs people tally text)
    cw_test(loadtest/${name}_test load)
endforeach()
