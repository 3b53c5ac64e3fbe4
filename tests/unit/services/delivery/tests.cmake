# SPDX-License-Identifier: Apache-2.0
cw_test(services/delivery/decide_model_test delivery)
target_sources(test_services_delivery_decide_model_test PRIVATE ${CMAKE_CURRENT_LIST_DIR}/model_store.c)
target_include_directories(test_services_delivery_decide_model_test PRIVATE ${CMAKE_SOURCE_DIR}/services/delivery)
