# SPDX-License-Identifier: Apache-2.0
foreach(name loop timer signal watch worker)
    cw_test(services/lib/loop/${name}_test loop)
endforeach()
